/** Milliseconds of processor time that some work takes: other work on the machine, which would lengthen it, does not count. */
export function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
