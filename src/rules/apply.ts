import type { Flag } from '../core/analysis.ts';
import { messageOf } from '../core/errors.ts';
import { RULES } from './list.ts';
import type { Rule, RuleSettings, Subject } from './rule.ts';

/**
 * The flags of an exchange, in the order of the rules. A rule that throws becomes a `parse_error` with its name;
 * it takes no other rule with it. Never throws.
 */
export function applyRules(subject: Subject, settings: RuleSettings, rules: readonly Rule[] = RULES): Flag[] {
  const failures = [...subject.failures];
  const fired = new Map<Rule, string>();
  const inForce = rules.filter(({ code }) => !settings.disabled.includes(code));
  const [last, others] = [
    inForce.filter(({ code }) => code === 'parse_error'),
    inForce.filter(({ code }) => code !== 'parse_error'),
  ];
  // What another rule's failure becomes must be known when parse_error is asked.
  for (const rule of [...others, ...last]) {
    try {
      const detail = rule.check({ ...subject, failures }, settings);
      if (detail !== undefined) fired.set(rule, detail);
    } catch (error) {
      failures.push(`rule ${rule.code}: ${messageOf(error)}`);
    }
  }
  return inForce.flatMap((rule) => {
    const detail = fired.get(rule);
    return detail === undefined ? [] : [{ code: rule.code, severity: rule.severity, detail }];
  });
}
