import { fileURLToPath } from 'node:url';

/** This very program, for the processes that it starts. */
export const program = fileURLToPath(new URL('../main.ts', import.meta.url));
