import { Argument, type Command } from 'commander';
import type { z } from 'zod';
import { Fault } from '../../proto/faults/fault.ts';
import { sectionsOf } from '../../proto/process/config-file.ts';
import { createCommand, portOffsetMax, wholeNumber, withConfig, type ConfigFlags } from '../command.ts';
import type { NamedFinding } from '../doctor/doctor.ts';
import { print } from '../terminal.ts';

/** Examines one kind of process; loads what that needs and no more. */
export type Doctor = (flags: DoctorFlags) => Promise<readonly NamedFinding[]>;

/** Which settings it reads, how far `isthmus up` moved the ports, and the files of `isthmus gateway --local`. */
export type DoctorFlags = ConfigFlags & { readonly portOffset?: number; readonly local?: string };

type Flags = DoctorFlags & { readonly json?: true };

/** What a process's doctor found. */
export interface Examination {
  readonly process: string;
  readonly findings: readonly NamedFinding[];
}

/** Examines the parts of `isthmus up`; the customer's side has none. */
type ExamineUp = (flags: DoctorFlags) => Promise<readonly Examination[]>;

/** `isthmus doctor`: looks at everything that a start needs, and changes nothing. */
export function doctorCommand(
  doctors: ReadonlyMap<string, Doctor>,
  onExit: (code: number) => void,
  examineUp?: ExamineUp,
): Command {
  const names = [...doctors.keys()];
  const command = createCommand({
    name: 'doctor',
    summary: `Checks everything that a start of ${names.join(', ')} needs, and says what to do.`,
    examples: [
      'isthmus doctor --config isthmus.yaml    # every process that the file has a section for',
      ...names.map((name) => `isthmus doctor ${name} --config isthmus.yaml`),
      'isthmus doctor gateway --local ./apis    # a gateway from files',
      ...(examineUp === undefined ? [] : ['isthmus doctor up --port-offset 1000    # every part of it']),
      'isthmus doctor --json    # exit code 1 when a check failed',
    ],
  });
  if (examineUp !== undefined)
    command.option(
      '-p, --port-offset <number>',
      'of isthmus up, whose parts it examines then, with the flags of isthmus up',
      wholeNumber(0, portOffsetMax),
    );
  return withConfig(command)
    .addArgument(
      new Argument('[process]', 'whose settings; without it, those that the file is for').choices(
        examineUp === undefined ? names : [...names, 'up'],
      ),
    )
    .option('--local <folder>', 'of isthmus gateway, which serves the definitions in this folder')
    .option('--json', 'as JSON')
    .action(async (given: string | undefined, flags: Flags) => {
      const named = given ?? (flags.local === undefined ? undefined : 'gateway');
      if (flags.local !== undefined && named !== 'gateway')
        throw new Fault('config.invalid', {
          details: [{ path: '--local', message: `is a flag of gateway; a ${named} has no such files` }],
        });
      const done =
        examineUp !== undefined && (named ?? (flags.portOffset === undefined ? '' : 'up')) === 'up'
          ? await examineUp(flags)
          : named === undefined
            ? await examineMeant(doctors, flags)
            : [await ask(doctors, named, flags)];
      const all = done.flatMap(({ process, findings }) => findings.map((each) => ({ process, ...each })));
      const text = (): string =>
        done
          .flatMap(({ process, findings }) => [
            ...(named === process ? [] : [`# ${process}`]),
            ...findings.map(line),
          ])
          .join('\n');
      print(flags.json === true ? JSON.stringify(all, undefined, 2) : text());
      onExit(all.some(({ status }) => status === 'failed') ? 1 : 0);
    });
}

type Doctors = ReadonlyMap<string, Doctor>;

const ask = async (doctors: Doctors, process: string, flags: DoctorFlags): Promise<Examination> => ({
  process,
  findings: (await doctors.get(process)?.(flags)) ?? [],
});

/**
 * Examines whom the settings are for: every process that the file has a section for; when it holds the keys of one, the first whose
 * settings they are; and without a file the first of all.
 */
async function examineMeant(doctors: Doctors, flags: DoctorFlags): Promise<readonly Examination[]> {
  const names = [...doctors.keys()];
  const [first = ''] = names;
  const { config: file } = flags;
  if (file === undefined) return [await ask(doctors, first, flags)];
  const { gatewayConfigSchema } = await import('../../data-plane/config.ts');
  const sections = sectionsOrNone(file, gatewayConfigSchema).filter((name) => doctors.has(name));
  if (sections.length > 0) {
    const done: Examination[] = [];
    for (const name of sections) done.push(await ask(doctors, name, flags));
    return done;
  }
  let refused: Examination | undefined;
  for (const name of names) {
    const examination = await ask(doctors, name, flags);
    if (examination.findings.some(({ check, status }) => check === 'settings' && status === 'ok'))
      return [examination];
    refused ??= examination;
  }
  return refused === undefined ? [] : [refused];
}

/** A file that cannot be read has none: whoever loads it says so. */
function sectionsOrNone(file: string, schema: z.ZodObject): readonly string[] {
  try {
    return sectionsOf(file, schema) ?? [];
  } catch (error) {
    if (error instanceof Fault) return [];
    throw error;
  }
}

function line({ check, status, found, remedy }: NamedFinding): string {
  const text = `${status.padEnd(8)} ${check.padEnd(12)} ${found}`;
  return remedy === undefined ? text : `${text}\n${' '.repeat(22)}${remedy}`;
}
