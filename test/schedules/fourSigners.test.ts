import { testSchedules } from './schedules.ts';

testSchedules({ signers: 4, threshold: 1 });
