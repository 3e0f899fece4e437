import { depthMax, JoltFailure, type Tree } from './tree.ts';

/** What all operations of a transformation may do together, in steps: a rule that is tried, an entry that is copied, 16 characters. */
const stepsMax = 2_000_000;
/** A list or an object that is made takes as much as so many steps, for its memory. */
const containerSteps = 8;
/** Values, and characters of texts and keys, in what an operation makes. */
const nodesMax = 200_000;
const charsMax = 4 * 1024 * 1024;

/** How much a tree is when it is written. */
interface Weight {
  readonly nodes: number;
  readonly chars: number;
  readonly depth: number;
}

/** What one run of a transformation may still do: one budget for all of its operations. */
export class Budget {
  #left = stepsMax;
  /** Of lists and objects that stay as they are. One that stands in many places weighs in each of them, and is looked through once. */
  readonly #weights = new WeakMap<object, Weight>();

  /** Pays for what is about to be done. Errors: JoltFailure once everything is spent. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new JoltFailure(`takes more than ${stepsMax} steps`);
  }

  /** Pays for a new list or object with so many entries. */
  makes(entries: number): void {
    this.spend(containerSteps + entries);
  }

  /** Pays for going through so many characters. */
  reads(chars: number): void {
    this.spend(chars >> 4);
  }

  /** Pays for making a text of so many characters. */
  makesText(chars: number): void {
    if (chars > charsMax) throw new JoltFailure(`makes more than ${charsMax} characters`);
    this.reads(chars);
  }

  /** Judges what an operation made, as much as it would be if it were written. Errors: JoltFailure for what is too much or too deep. */
  judge(tree: Tree): void {
    this.#weigh(tree, 0);
  }

  #weigh(tree: Tree, above: number): Weight {
    if (typeof tree !== 'object' || tree === null)
      return { nodes: 1, chars: typeof tree === 'string' ? tree.length : 0, depth: 0 };
    const known = this.#weights.get(tree);
    if (known !== undefined) return bounded(known, above);
    bounded({ nodes: tree instanceof Map ? tree.size : tree.length, chars: 0, depth: 0 }, above);
    let [nodes, chars, depth] = [1, 0, 0];
    const add = (child: Tree): void => {
      const weight = this.#weigh(child, above + 1);
      nodes += weight.nodes;
      chars += weight.chars;
      depth = Math.max(depth, weight.depth + 1);
      bounded({ nodes, chars, depth }, above);
    };
    if (tree instanceof Map)
      for (const [key, child] of tree) {
        chars += key.length;
        add(child);
      }
    else for (const child of tree) add(child);
    const weight = { nodes, chars, depth };
    this.#weights.set(tree, weight);
    return weight;
  }
}

function bounded(weight: Weight, above: number): Weight {
  if (weight.nodes > nodesMax) throw new JoltFailure(`makes more than ${nodesMax} values`);
  if (weight.chars > charsMax) throw new JoltFailure(`makes more than ${charsMax} characters`);
  if (above + weight.depth > depthMax)
    throw new JoltFailure(`makes something deeper than ${depthMax} levels`);
  return weight;
}
