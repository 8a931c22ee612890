export type { RunHead } from './run-head.ts';
