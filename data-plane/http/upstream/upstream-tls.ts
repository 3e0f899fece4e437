/** How an upstream is recognised and what we show it. PEM texts; pfx is PKCS12 bytes in base64. */
export interface UpstreamTls {
  readonly rejectUnauthorized: boolean;
  readonly verifyHost: boolean;
  readonly servername: string | undefined;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly pfx: string | undefined;
  readonly passphrase: string | undefined;
}
