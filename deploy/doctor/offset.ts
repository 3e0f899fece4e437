import type { LoadedConfig } from '../../proto/process/config.ts';
import { type ConfigFlags, movedBy } from '../command.ts';

interface Listening {
  readonly admin: { readonly port: number };
  readonly listen?: { readonly port: number };
  /** Of a gateway that has several. */
  readonly servers?: readonly { readonly port: number }[];
}

/** Settings as they are, or as `isthmus up --port-offset` moves their ports. */
export function offsetBy<Config extends Listening>(
  { config, ...rest }: LoadedConfig<Config>,
  { portOffset = 0 }: ConfigFlags & { readonly portOffset?: number },
): LoadedConfig<Config> {
  const admin = movedBy(config.admin, { setting: 'admin', portOffset });
  const listen =
    config.listen === undefined ? {} : { listen: movedBy(config.listen, { setting: 'listen', portOffset }) };
  const servers =
    config.servers === undefined
      ? {}
      : {
          servers: config.servers.map((server, index) =>
            movedBy(server, { setting: `servers[${index}]`, portOffset }),
          ),
        };
  return { ...rest, config: { ...config, admin, ...listen, ...servers } };
}
