/** The codes of the rules, in the order in which they are applied and documented. */
export const RULE_CODES = [
  'host_not_allowlisted',
  'secret_in_request',
  'env_in_tool_result',
  'oversized_request',
  'unknown_mcp_endpoint',
  'oversized_response',
  'permissive_capture',
  'parse_error',
  'ws_pinned_upstream',
] as const;
export type RuleCode = (typeof RULE_CODES)[number];

/** How bad a flag is, the worst first. */
export const SEVERITIES = ['high', 'medium', 'low', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];
