import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { eventually } from '../eventually.ts';
import { freePortOffset } from '../processes/up.ts';
import { tempDir } from '../temp-dir.ts';
import { readGuide, type GuideStep } from './guide.ts';
import { layOutMachine, type Machine } from './machine.ts';

/** What a guide is run with. */
export interface GuideWish {
  /** Environment of a machine on which `isthmus` is installed. */
  readonly env: Readonly<Record<string, string>>;
  /** What a reader has and a test does not, in this order: names of hosts, of roles, passwords. */
  readonly replacements?: readonly (readonly [string, string])[];
  /** Puts what the reader brought onto the first machine. */
  readonly prepare?: (dir: string) => void;
}

/** A guide that ran to its end, and what is left for more questions. */
export interface RunGuide {
  /** Where the reader of the first machine is. */
  readonly dir: string;
  machine(name: string): Machine;
  /** A port of the guide as it is here. */
  port(written: number): number;
}

/** Ports that guides write; several tests run on one machine, so each guide has them moved by one number. */
const ports = {
  ISTHMUS_GATEWAY__LISTEN__PORT: 8082,
  ISTHMUS_CONTROL_PLANE__LISTEN__PORT: 8083,
  ISTHMUS_BRIDGE__LISTEN__PORT: 18_092,
  ISTHMUS_GATEWAY__ADMIN__PORT: 18_082,
  ISTHMUS_CONTROL_PLANE__ADMIN__PORT: 18_083,
  ISTHMUS_SHIPPER__ADMIN__PORT: 18_084,
  ISTHMUS_BRIDGE__ADMIN__PORT: 18_093,
} as const;
/** The echo server of `isthmus up`, a reader's backend, a gateway with TLS, a proxy with TLS. */
const otherPorts = [18_085, 9000, 8443, 9443];

const againMsMax = 30_000;

/** Runs every block of a page as it is written, or of several that go on from one another. Errors: an Error that names the page, the line, and what was printed. */
export async function runGuide(
  t: Pick<TestContext, 'after'>,
  paths: readonly string[],
  wish: GuideWish,
): Promise<RunGuide> {
  const offset = freePortOffset();
  const dir = tempDir(t, 'isthmus-guide');
  const moved = [...Object.values(ports), ...otherPorts];
  const written = new RegExp(`\\b(${moved.join('|')})\\b`, 'g');
  const translate = (text: string): string =>
    (wish.replacements ?? [])
      .reduce((done, [from, to]) => done.replaceAll(from, to), text)
      .replaceAll(written, (port) => String(Number(port) + offset))
      .replaceAll(/\bisthmus up\b/g, `isthmus up --port-offset ${offset}`);
  const env = {
    ...wish.env,
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port + offset)])),
  };
  const machines = new Map<string, Machine>();
  const machine = (name: string): Machine => {
    const known = machines.get(name);
    if (known !== undefined) return known;
    mkdirSync(join(dir, name));
    const made = layOutMachine(t, join(dir, name), env);
    machines.set(name, made);
    return made;
  };
  const { dir: home } = machine('here');
  wish.prepare?.(home);
  for (const path of paths) {
    for (const step of readGuide(path)) {
      try {
        await take(step, { path, machine, translate });
      } catch (error) {
        const said = [...machines]
          .map(([name, { terminals }]) => `=== on ${name}\n${terminals()}`)
          .join('\n');
        throw new Error(`${error instanceof Error ? error.message : String(error)}\n${said}`, {
          cause: error,
        });
      }
    }
  }
  return { dir: home, machine, port: (port) => port + offset };
}

interface Reader {
  readonly path: string;
  machine(name: string): Machine;
  translate(text: string): string;
}

async function take(step: GuideStep, { path, machine, translate }: Reader): Promise<void> {
  switch (step.kind) {
    case 'carry':
      for (const name of step.names)
        copyFileSync(join(machine(step.from).dir, name), join(machine(step.to).dir, name));
      return;
    case 'stop':
      return machine(step.machine).stop(translate(step.command));
    case 'write': {
      const file = join(machine(step.machine).dir, translate(step.name));
      mkdirSync(dirname(file), { recursive: true });
      return writeFileSync(file, translate(step.text));
    }
    case 'run':
      return runBlock(step, { path, machine, translate });
    default:
      step satisfies never;
  }
}

async function runBlock(
  step: GuideStep & { readonly kind: 'run' },
  { path, machine, translate }: Reader,
): Promise<void> {
  const piece = { path, line: step.line, text: translate(step.text) };
  const there = machine(step.machine);
  if (step.stays) return there.start(piece, /\bisthmus up\b/.test(step.text) ? withoutPorts : {});
  const wanted = step.output.map(translate);
  const check = (output: string): void => {
    const missing = missingLine(output, wanted);
    if (missing !== undefined)
      throw new Error(`${path}:${step.line}: this is not in its output: ${missing}\n${output}`);
  };
  if (!step.again && !step.fails) return check(await there.run(piece));
  const attempt = async (): Promise<true> => {
    const { exitCode, output } = await there.attempt(piece);
    if ((exitCode !== 0) !== step.fails)
      throw new Error(`${path}:${step.line}: the block ended with ${exitCode}\n${output}`);
    check(output);
    return true;
  };
  await (step.again ? eventually(attempt, { timeoutMs: againMsMax, everyMs: 500 }) : attempt());
}

/** `isthmus up` moves all of its ports by a flag. */
const withoutPorts = Object.fromEntries(Object.keys(ports).map((name) => [name, undefined]));

/** The first of the wanted lines that does not follow the ones before it; `…` stands for anything. */
function missingLine(output: string, wanted: readonly string[]): string | undefined {
  const lines = output.split('\n');
  let at = 0;
  for (const line of wanted) {
    const parts = line
      .trim()
      .split('…')
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const pattern = new RegExp(`^${parts.join('.*')}$`);
    const found = lines.findIndex((each, n) => n >= at && pattern.test(each.trim()));
    if (found < 0) return line;
    at = found + 1;
  }
  return undefined;
}
