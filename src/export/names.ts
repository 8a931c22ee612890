/** What an export can be written as. By itself, so that `--help` need not load the writers. */
export const EXPORT_FORMATS = ['har', 'jsonl', 'curl'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
