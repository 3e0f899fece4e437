import styles from './json-difference.module.css';

/** One step of a JSON Patch (RFC 6902), as far as it is shown. */
interface Step {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

const marks: ReadonlyMap<string, readonly [mark: string, word: string]> = new Map([
  ['add', ['+', 'added']],
  ['remove', ['−', 'removed']],
  ['replace', ['~', 'changed']],
]);

const shownMax = 200;
const charsMax = 2_000;

/** What a change did to an object: a line per place, with what stands there now. Errors: none; what is no patch is shown as it came. */
export function JsonDifference({ patch }: { readonly patch: string }) {
  const steps = stepsOf(patch);
  if (steps === undefined)
    return (
      <pre className="mono" tabIndex={0}>
        {patch}
      </pre>
    );
  return (
    <>
      {/* Where it is higher than its frame, a keyboard must be able to move it. */}
      <div className={styles['frame']} tabIndex={0} role="region" aria-label="Difference">
        <ul className={styles['steps']} aria-label="What was changed">
          {steps.slice(0, shownMax).map((step, at) => {
            const [mark, word] = marks.get(step.op) ?? ['~', step.op];
            return (
              // A patch may name a place twice; its order is its meaning.
              <li key={at} data-op={step.op}>
                <span className={styles['mark']} aria-hidden>
                  {mark}
                </span>
                <span className="mono">
                  <span className="hidden">{word} </span>
                  <b>{placeOf(step.path)}</b>
                  {step.op !== 'remove' && <span className={styles['value']}>{written(step.value)}</span>}
                </span>
              </li>
            );
          })}
        </ul>
      </div>
      {steps.length > shownMax && <p className="second">and {steps.length - shownMax} more places</p>}
    </>
  );
}

function stepsOf(patch: string): readonly Step[] | undefined {
  try {
    const read: unknown = JSON.parse(patch);
    return Array.isArray(read) && read.every(isStep) ? read : undefined;
  } catch {
    return undefined;
  }
}

const isStep = (value: unknown): value is Step =>
  typeof value === 'object' &&
  value !== null &&
  'op' in value &&
  typeof value.op === 'string' &&
  'path' in value &&
  typeof value.path === 'string';

/** A pointer as people write places: `/definition/plans/0/name` is `definition.plans[0].name`. */
function placeOf(path: string): string {
  if (path === '') return 'all of it';
  return path
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part, at) => (/^\d+$/.test(part) ? `[${part}]` : at === 0 ? part : `.${part}`))
    .join('');
}

function written(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value, undefined, 2);
  return text.length > charsMax ? `${text.slice(0, charsMax)}…` : text;
}
