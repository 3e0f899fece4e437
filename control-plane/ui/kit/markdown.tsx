import { marked, type Token, type Tokens } from 'marked';
import { type ReactNode, useMemo } from 'react';
import styles from './markdown.module.css';

/**
 * Shows Markdown: headings, paragraphs, lists, tables, code, emphasis. It becomes elements and never HTML, so that what a text holds of
 * tags is shown and not run; links are their words, since a page of the reference points to files.
 */
export function Markdown({ text }: { readonly text: string }) {
  const tokens = useMemo(() => tokensOf(text), [text]);
  return (
    <div className={styles['markdown']}>
      {tokens === undefined ? (
        <>
          <p className="second">It is nested too deeply to be drawn, and stands here as it was written.</p>
          <pre tabIndex={0} className="mono">
            {text}
          </pre>
        </>
      ) : (
        blocks(tokens)
      )}
    </div>
  );
}

/** More levels than anybody writes of quotes, lists and emphasis inside of each other; a browser draws some hundred more before its stack ends. */
const levelsMax = 50;

/** Undefined for a text that is nested more deeply, at which its reader's stack may have ended. */
function tokensOf(text: string): readonly Token[] | undefined {
  try {
    const tokens = marked.lexer(text);
    return isDeeper(tokens) ? undefined : tokens;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function isDeeper(root: readonly Token[]): boolean {
  let level = root;
  for (let depth = 0; depth <= levelsMax; depth += 1) {
    if (level.length === 0) return false;
    level = level.flatMap(
      (token): readonly Token[] =>
        ('items' in token ? (token as Tokens.List).items : 'tokens' in token ? token.tokens : undefined) ??
        [],
    );
  }
  return true;
}

// A token is its place: the text is shown whole or not at all.
const blocks = (tokens: readonly Token[]): ReactNode =>
  tokens.map((token, at) => <Block key={at} token={token} />);

function Block({ token }: { readonly token: Token }): ReactNode {
  switch (token.type) {
    case 'heading':
      return <h4>{inline(token.tokens)}</h4>;
    case 'paragraph':
      return <p>{inline(token.tokens)}</p>;
    case 'code':
      // A block that scrolls can be reached by the keyboard.
      return (
        <pre tabIndex={0} className="mono">
          {String(token['text'])}
        </pre>
      );
    case 'list':
      return (
        <ul>
          {(token as Tokens.List).items.map((item, at) => (
            <li key={at}>{blocks(item.tokens)}</li>
          ))}
        </ul>
      );
    case 'table':
      return <Table table={token as Tokens.Table} />;
    case 'space':
      return null;
    default:
      return <>{inline([token])}</>;
  }
}

function Table({ table }: { readonly table: Tokens.Table }) {
  return (
    <div className={styles['table']} tabIndex={0} role="group" aria-label="Table">
      <table>
        <thead>
          <tr>
            {table.header.map((cell, at) => (
              <th key={at} scope="col">
                {inline(cell.tokens)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, column) => (
                <td key={column}>{inline(cell.tokens)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const inline = (tokens: readonly Token[] = []): ReactNode =>
  tokens.map((token, at) => {
    if (token.type === 'codespan')
      return (
        <code key={at} className="mono">
          {String(token['text'])}
        </code>
      );
    if (token.type === 'strong') return <strong key={at}>{inline(token.tokens)}</strong>;
    if (token.type === 'em') return <em key={at}>{inline(token.tokens)}</em>;
    if (token.type === 'br') return <br key={at} />;
    if ('tokens' in token && token.tokens !== undefined) return <span key={at}>{inline(token.tokens)}</span>;
    return <span key={at}>{'text' in token ? String(token['text']) : token.raw}</span>;
  });
