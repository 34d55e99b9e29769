/**
 * `192.0.2.1:443` or `[2001:db8::1]:443`.
 * @param host a name or a numeric address, IPv6 without brackets.
 */
export function hostPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
