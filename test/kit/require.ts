/** Servers and tools that some tests need, with the Debian package that brings each. */
export type Requirement =
  | 'postgresql'
  | 'redis-server'
  | 'nginx'
  | 'apache2'
  | 'faketime'
  | 'haproxy'
  | 'wrk'
  | 'nghttp2-client'
  | 'systemd'
  | 'prometheus'
  | 'chromium'
  | 'strace'
  | 'slapd'
  | 's3-server'
  | 'loop-mount'
  | 'tmpfs';

/**
 * Says whether a test may be skipped because something is missing: false, or the one line to skip with.
 *
 * With ISTHMUS_TEST_REQUIRE=all a missing part is a failure, so that CI cannot quietly test less.
 */
export function skipWithout(requirement: Requirement, isPresent: boolean): false | string {
  if (isPresent) return false;
  const line = `needs ${requirement}: apt-get install ${requirement}`;
  if (process.env['ISTHMUS_TEST_REQUIRE'] === 'all')
    throw new Error(`ISTHMUS_TEST_REQUIRE=all, but this ${line}`);
  return line;
}
