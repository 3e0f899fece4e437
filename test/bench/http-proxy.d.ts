declare module 'http-proxy' {
  import type { Agent } from 'node:http';
  interface ProxyOptions {
    readonly target: string;
    readonly agent?: Agent;
    readonly ssl?: { readonly cert: Buffer; readonly key: Buffer };
  }
  interface ProxyServer {
    on(event: 'error', listener: (error: Error) => void): this;
    listen(port: number, host: string): this;
  }
  const httpProxy: { createProxyServer(options: ProxyOptions): ProxyServer };
  export default httpProxy;
}
