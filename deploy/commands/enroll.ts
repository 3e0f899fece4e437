import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { gatewayConfigSchema } from '../../data-plane/config.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { foldersOf } from '../../proto/process/data-folder.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { createOutbound, toOutboundOptions } from '../../proto/process/outbound/outbound.ts';
import { createLazyKeyring } from '../../proto/process/secrets.ts';
import { identityFile, loadIdentity } from '../../proto/trust/identity.ts';
import { systemWords } from '../../proto/process/system-words.ts';
import { readEnrolmentToken } from '../../proto/trust/tokens.ts';
import { settingsOf } from '../../proto/process/config.ts';
import { createCommand, loadFor, splitPair, withConfig, type ConfigFlags } from '../command.ts';
import { print, say } from '../terminal.ts';
import { version } from '../version.ts';

type Flags = ConfigFlags & {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly json?: true;
  readonly replace?: true;
};

/** `isthmus enroll`: makes this machine's keys and trades the token for an identity, once. */
export function enrollCommand(): Command {
  const command = createCommand({
    name: 'enroll',
    summary: 'Enrols this machine as a gateway of a fleet, with a token from the control plane.',
    examples: [
      'isthmus enroll --token ist1.eyJ...',
      'isthmus enroll --token-file token.txt --data-dir /var/lib/isthmus-gateway',
      'ISTHMUS_ENROLMENT_TOKEN=ist1.eyJ... isthmus enroll --set outbound.proxy.url=http://user:password@proxy:3128',
    ],
  });
  return withConfig(command)
    .option(
      '-t, --token <token>',
      'the enrolment token; it is visible to other users of the machine, so prefer:',
    )
    .option('--token-file <file>', 'a file that holds it, - for standard input; or ISTHMUS_ENROLMENT_TOKEN')
    .option(
      '--replace',
      'enrol a machine again that has enrolled before, e.g. into another fleet; what it has not shipped yet stays its own, and its former identity ends',
    )
    .option('--json', 'say the result as JSON')
    .action(async (flags: Flags) => {
      const { config } = loadFor(gatewayConfigSchema, { process: 'gateway', flags });
      const token = readToken(flags);
      if (token === undefined)
        return command.error('no token; give --token, --token-file or ISTHMUS_ENROLMENT_TOKEN');
      // Read before anything is made: a token that was cut when it was pasted leaves no folder behind.
      const bridgeUrl = config.bridge.url ?? readEnrolmentToken(token).bridge;
      const keyring = createLazyKeyring(foldersOf(config.dataDir).secrets);
      const previous = loadIdentity(config.dataDir, keyring);
      if (previous !== undefined && flags.replace !== true) {
        throw new Fault('request.conflict', {
          detail: `${join(config.dataDir, identityFile)} exists: this machine has enrolled already.`,
          hint: 'Give --replace to enrol it anew: its former identity ends, and what it has not shipped yet stays its own.',
        });
      }
      const options = toOutboundOptions(config.outbound, 'private');
      // The bridge's address is the operator's word, wherever it points.
      const outbound = createOutbound({ ...options, allow: [...options.allow, bridgeUrl] });
      const { enrol } = await import('../../data-plane/sync/enrol.ts');
      const { dataDir } = config;
      try {
        const made = await enrol({
          token,
          dir: dataDir,
          keyring,
          outbound,
          clock: systemClock,
          version,
          bridgeUrl,
          previous,
          allowPlainHttp: config.bridge.allowPlainHttp,
        });
        const { gateway, fleet, organization, bridge } = made;
        if (flags.json === true) print(JSON.stringify({ gateway, fleet, organization, bridge, dataDir }));
        else
          say(
            `enrolled as gateway ${gateway} of fleet ${fleet}; start it with the same settings: ${startCommand(flags, dataDir)}`,
          );
      } finally {
        await outbound.close();
      }
    });
}

/** What starts the gateway that has enrolled, as it can be pasted: with the file and the settings that this command was given. */
function startCommand({ config, set = [] }: Flags, dataDir: string): string {
  const words = ['isthmus', 'gateway', '--with-shipper', '--data-dir', dataDir];
  if (config !== undefined) words.push('--config', config);
  // The token is spent, and what a password stands in is said by nobody; the shipper dials as the gateway does.
  for (const pair of set) {
    const [path] = splitPair(pair);
    if (path === 'bridge.token') continue;
    const said = isSecretPath(path) ? `${path}=***` : pair;
    words.push('--set', said);
    if (path.startsWith('outbound.')) words.push('--set', `shipper.${said}`);
  }
  return words.map(quoted).join(' ');
}

const isSecretPath = (path: string): boolean =>
  settingsOf(gatewayConfigSchema).some((setting) => setting.path === path && setting.isSecret);

/** As a shell takes it. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./*-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** The token and, when it is empty, the name of where it came from. Undefined when nobody gave one. */
function readToken({ token, tokenFile }: Flags): string | undefined {
  if (token !== undefined) return given(token, '--token');
  const variable = 'ISTHMUS_ENROLMENT_TOKEN';
  if (tokenFile === undefined) return given(process.env[variable], variable);
  try {
    return given(readFileSync(tokenFile === '-' ? 0 : tokenFile, 'utf8'), `--token-file ${tokenFile}`);
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault('config.unreadable', {
      detail: `--token-file ${tokenFile} ${systemWords(cause)}.`,
      hint: 'Check the path for a slip, and whether this user may read it; - reads standard input.',
      cause,
    });
  }
}

function given(text: string | undefined, name: string): string | undefined {
  const token = text?.trim();
  if (token === '')
    throw new Fault('config.invalid', {
      detail: `${name} is empty.`,
      details: [{ path: name, message: 'must hold an enrolment token; it is empty' }],
    });
  return token;
}
