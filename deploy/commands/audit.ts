import type { Command } from 'commander';
import type { AuditVerdict } from '../../control-plane/management/audit/verify.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import { databaseCommandSchema } from '../processes.ts';
import { createCommandLog, print } from '../terminal.ts';

type Flags = ConfigFlags & {
  readonly organization: string;
  readonly head?: string;
  readonly json?: true;
};

/** `isthmus audit`. */
export function auditCommand(onExit: (code: number) => void): Command {
  return createCommand({
    name: 'audit',
    summary: 'Proves that the audit is what was written.',
    examples: ['isthmus audit verify --config isthmus.yaml'],
  }).addCommand(verifyCommand(onExit));
}

function verifyCommand(onExit: (code: number) => void): Command {
  const command = createCommand({
    name: 'verify',
    summary: 'Compares each row of the audit with its chain of hashes; may run beside the control plane.',
    examples: [
      'isthmus audit verify --config isthmus.yaml    # exit code 1 when it is not what was written',
      'isthmus audit verify --head 41:9f86d0...   # what it said last time: nothing up to there was written anew',
    ],
  });
  return withConfig(command)
    .option('--organization <id>', 'the organization, by id or human-readable id', 'DEFAULT')
    .option('--head <seq:hash>', 'where the chain ended earlier, kept where nobody changes it')
    .option('--json', 'say the result as JSON')
    .action(async (flags: Flags) => {
      const kept = flags.head === undefined ? undefined : keptHead(flags.head);
      const { config } = loadFor(databaseCommandSchema, { process: 'control-plane', flags });
      const { openStorage } = await import('../../control-plane/storage/storage.ts');
      const { verifyAudit } = await import('../../control-plane/management/audit/verify.ts');
      const { demandOrganization } = await import('../../control-plane/management/tenants/tenants.ts');
      const log = createCommandLog('error');
      const { url } = config.database;
      const storage = await openStorage({ url, dataDir: config.dataDir, log, mode: 'existing' });
      try {
        const organization = await demandOrganization(storage.db, flags.organization);
        const verdict = await verifyAudit(storage.db, organization, kept);
        print(flags.json === true ? JSON.stringify(verdict) : describe(verdict));
        if (verdict.faults.length > 0) onExit(1);
      } finally {
        await storage.close();
      }
    });
}

function keptHead(text: string): { readonly seq: number; readonly hash: string } {
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq === undefined || hash === undefined)
    throw new Fault('request.invalid', {
      details: [{ path: '--head', message: 'must be like 41:<64 hex digits>, as this command says it' }],
    });
  return { seq: Number(seq), hash };
}

const words = {
  missing: 'rows before it are not there',
  changed: 'is not the row that was written',
  cut: 'the chain ended here, and does no more',
  behind: 'stands behind the end of the chain, where nobody has written it who writes the audit',
  beside: 'rows stand beside the chain that no former version wrote, or some of those are gone',
} as const;

function describe({ rows, unchained, head, faults }: AuditVerdict): string {
  const faulty = faults.map(({ seq, what }) => `\n  ${seq}: ${words[what]}`);
  return `${rows} rows of the audit compared, ${faults.length === 0 ? 'each as it was written' : 'NOT as they were written:'}${faulty.join('')}
  ${unchained} rows of former versions stand outside of the chain, which proves nothing of them
  the chain ends at ${head.seq}:${head.hash}; kept elsewhere, --head proves later that nothing up to here was written anew`;
}
