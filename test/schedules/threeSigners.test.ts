import { testSchedules } from './schedules.ts';

testSchedules({ signers: 3, threshold: 1 });
