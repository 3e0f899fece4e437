import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { gatewayConfigSchema } from '../../data-plane/config.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { createOutbound, toOutboundOptions } from '../../proto/process/outbound/outbound.ts';
import { systemWords } from '../../proto/process/system-words.ts';
import { chooseContext, type Context, contextsFile, readContexts } from '../client/contexts.ts';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import {
  type ExplainedRequest,
  explainedTable,
  explainFromControlPlane,
  explainFromSpool,
} from '../explained.ts';
import { print } from '../terminal.ts';

type Flags = ConfigFlags & {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly environment?: string;
  readonly json?: true;
};

const variable = 'ISTHMUS_TOKEN';

/** `isthmus explain`: the steps that a request took. */
export function explainCommand(onExit: (code: number) => void): Command {
  const command = createCommand({
    name: 'explain',
    summary: 'Tells the steps that a request took, what each decided and how long it took.',
    examples: [
      'isthmus explain 0198c9d4-5f4e-7d7a-9c3e-1f2a3b4c5d6e    # X-Gravitee-Request-Id of its answer; records of ./isthmus-data, else after isthmus login the control plane',
      'isthmus explain 0198c9d4-... --data-dir /var/lib/isthmus-gateway --json',
      'isthmus explain 0198c9d4-... --url https://console.example.com    # after isthmus login; or ISTHMUS_TOKEN=istp_...',
    ],
  });
  return withConfig(command)
    .argument('<id>', 'its request id, as the answer says it in X-Gravitee-Request-Id', requestId)
    .option('--url <url>', 'asks the control plane there, instead of the records on this machine')
    .option(
      '--token-file <file>',
      `a file that holds a personal token for --url; or ${variable}, or what isthmus login has kept for it`,
    )
    .option('--environment <id>', 'of the control plane (default: that of the login, or DEFAULT)')
    .option('--json', 'say it as JSON')
    .action(async (id: string, flags: Flags) => {
      const { config } = loadFor(gatewayConfigSchema, { process: 'gateway', flags });
      const explained =
        flags.url === undefined
          ? await explainHere(config, flags, id)
          : await askControlPlane(config, { ...flags, url: flags.url }, id);
      print(flags.json === true ? JSON.stringify(explained) : explainedTable(explained));
      if (explained.steps === undefined) onExit(1);
    });
}

type Config = ReturnType<typeof gatewayConfigSchema.parse>;

/** Out of the records on this machine, else by the control plane of `isthmus login`: what is shipped lies there alone. */
async function explainHere(config: Config, flags: Flags, id: string): Promise<ExplainedRequest> {
  try {
    return await explainFromSpool(config.dataDir, id);
  } catch (error) {
    const isMissing = error instanceof Fault && error.code === 'request.not_found';
    const context = isMissing && flags.dataDir === undefined ? currentContext() : undefined;
    if (context === undefined) throw error;
    const { url, environment } = context;
    return askControlPlane(config, { environment, ...flags, url }, id);
  }
}

/** Undefined where nobody has logged in. */
function currentContext(): Context | undefined {
  try {
    return chooseContext({}, process.env);
  } catch (error) {
    if (error instanceof Fault && error.code === 'client.no_context') return undefined;
    throw error;
  }
}

async function askControlPlane(
  { outbound: settings }: Pick<Config, 'outbound'>,
  flags: Flags & { readonly url: string },
  id: string,
) {
  const { url } = flags;
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw new Fault('config.invalid', {
      details: [{ path: '--url', message: 'must be a URL of http or https' }],
    });
  const kept = keptFor(url);
  const token = readToken(flags, kept);
  const environment = flags.environment ?? kept?.environment ?? 'DEFAULT';
  const options = toOutboundOptions(settings, 'private');
  // Its address is the operator's word, wherever it points.
  const outbound = createOutbound({ ...options, allow: [...options.allow, url] });
  try {
    return await explainFromControlPlane(outbound, { url, token, environment }, id);
  } finally {
    await outbound.close();
  }
}

/** What `isthmus login` has kept for a control plane: the current context before others. */
function keptFor(url: string): Context | undefined {
  const { current, contexts } = readContexts(contextsFile(process.env));
  const wanted = new URL(url).origin;
  return Object.entries(contexts)
    .toSorted(([a], [b]) => Number(b === current) - Number(a === current))
    .find(([, each]) => new URL(each.url).origin === wanted)?.[1];
}

/** Errors: config.unreadable for a file that cannot be read, config.invalid without a token. */
function readToken({ tokenFile }: Flags, kept: Context | undefined): string {
  const given = tokenFile === undefined ? process.env[variable] : fileText(tokenFile);
  const token = (given ?? kept?.token)?.trim();
  if (token === undefined || !/^[\x21-\x7e]{1,1024}$/.test(token))
    throw new Fault('config.invalid', {
      details: [
        {
          path: tokenFile === undefined ? variable : '--token-file',
          message:
            'must hold a personal token for --url (one that the console made, under the account), unless isthmus login has kept one',
        },
      ],
    });
  return token;
}

function fileText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Fault('config.unreadable', {
      detail: `--token-file ${file} ${systemWords(cause)}.`,
      hint: 'Check the path for a slip, and whether this user may read it.',
      cause,
    });
  }
}

function requestId(text: string): string {
  if (/^[\x21-\x7e]{1,128}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be 1 to 128 characters without blanks.');
}
