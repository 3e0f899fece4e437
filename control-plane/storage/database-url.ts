/** What is wrong with the URL of a database; undefined when it can be dialled. It quotes nothing: there is a password in it. */
export function wrongUrl(url: string): string | undefined {
  if (!/^postgres(ql)?:\/\//.test(url)) return 'must start with postgresql:// or be absent for SQLite';
  // As the driver reads it.
  if (URL.canParse(url.replaceAll(' ', '%20'), 'postgresql://base')) return undefined;
  return 'is no URL; it is postgresql://user:password@host:port/database, with a port from 1 to 65535, and what is special in user and password (@ : / ? #) percent-encoded';
}
