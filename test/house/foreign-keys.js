/**
 * The lint rule `house/foreign-keys`: no plain object is keyed by a name that came from outside.
 *
 * `table[name] = x` with the name `__proto__` changes what every object inherits; `table[name]` with `constructor` finds what nobody put
 * there. A table with closed keys (a literal, `Record<Kind, ...>`) is the compiler's matter: it takes no other name. Everywhere else every
 * computed name counts that is not plainly a number: write to a Map (and `Object.fromEntries` for what leaves), read from one or with
 * `Object.hasOwn`. An exception says why behind `oxlint-disable-next-line house/foreign-keys --`; test/house counts them, and the count
 * only falls.
 */
const write = 'is keyed by a computed name: collect in a Map, Object.fromEntries(map) for what leaves';
const read =
  'is asked for a computed name, which may be one that every object has: use a Map, or Object.hasOwn first';
const within = '"in" finds what every object inherits: use Object.hasOwn';

const numericOperators = new Set(['-', '*', '/', '%', '&', '|', '^', '<<', '>>', '>>>', '**']);

const unwrapped = (node) =>
  node &&
  (node.type.startsWith('TS') ||
    node.type === 'ParenthesizedExpression' ||
    node.type === 'ChainExpression') &&
  node.expression
    ? unwrapped(node.expression)
    : node;

const rule = {
  create(context) {
    const variableOf = (identifier) => {
      for (let scope = context.sourceCode.getScope(identifier); scope; scope = scope.upper) {
        const variable = scope.set.get(identifier.name);
        if (variable) return variable;
      }
      return undefined;
    };
    const definitionOf = (identifier) => variableOf(identifier)?.defs[0];
    const typeOf = (identifier) => {
      const definition = definitionOf(identifier);
      const typed = definition?.name?.typeAnnotation ?? identifier.typeAnnotation;
      return typed ? context.sourceCode.getText(typed) : '';
    };
    const isNumber = (raw) => {
      const node = unwrapped(raw);
      if (node.type === 'Literal') return true;
      if (node.type === 'UpdateExpression' || node.type === 'UnaryExpression') return true;
      if (node.type === 'BinaryExpression')
        return (
          numericOperators.has(node.operator) ||
          (node.operator === '+' && isNumber(node.left) && isNumber(node.right))
        );
      if (node.type === 'MemberExpression')
        return !node.computed && /^(length|size|byteLength)$/.test(node.property.name ?? '');
      if (node.type !== 'Identifier') return false;
      // What `entries()` of a list gives is called so here.
      if (/^(index|at)$/.test(node.name)) return true;
      if (/^:\s*number\b/.test(typeOf(node))) return true;
      const init = definitionOf(node)?.node?.init;
      return (
        init !== undefined &&
        init !== null &&
        unwrapped(init).type !== 'Identifier' &&
        isNumber(init) &&
        typeof unwrapped(init).value !== 'string'
      );
    };
    const isSymbol = (node) =>
      node.type === 'MemberExpression' && node.object.type === 'Identifier' && node.object.name === 'Symbol';
    const isForeign = (node) =>
      node.type === 'MemberExpression' &&
      node.computed &&
      !isNumber(node.property) &&
      !isSymbol(node.property);
    const isTable = (raw) => {
      const node = unwrapped(raw);
      return node.type === 'Identifier' && /Record<\s*string\b/.test(typeOf(node));
    };
    const isClosed = (raw) => {
      const node = unwrapped(raw);
      if (node.type !== 'Identifier') return false;
      const type = typeOf(node);
      if (type !== '') return /Record<(?!\s*string\b)/.test(type);
      const init = definitionOf(node)?.node?.init;
      return init ? unwrapped(init).type === 'ObjectExpression' : false;
    };
    /** `Object.hasOwn(table, name) ? table[name] : ...` */
    const isAsked = ({ parent, object }) =>
      parent.type === 'ConditionalExpression' &&
      context.sourceCode
        .getText(parent.test)
        .includes(`Object.hasOwn(${context.sourceCode.getText(object)},`);
    const report = (node, message) => context.report({ node, message });
    return {
      AssignmentExpression({ left }) {
        if (isForeign(left) && !isClosed(left.object)) report(left, write);
      },
      MemberExpression(node) {
        const { parent } = node;
        const isWritten = parent.type === 'AssignmentExpression' && parent.left === node;
        if (!isWritten && isForeign(node) && isTable(node.object) && !isAsked(node)) report(node, read);
      },
      BinaryExpression(node) {
        const isName =
          node.left.type !== 'Literal' && node.left.type !== 'PrivateIdentifier' && !isSymbol(node.left);
        if (node.operator === 'in' && isName) report(node, within);
      },
    };
  },
};

// oxlint-disable-next-line import/no-default-export -- oxlint takes a plugin no other way
export default { meta: { name: 'house' }, rules: { 'foreign-keys': rule } };
