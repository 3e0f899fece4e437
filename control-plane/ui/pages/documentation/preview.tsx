import { useQuery } from '@tanstack/react-query';
import { Markdown } from '../../kit/markdown.tsx';
import { Tag } from '../../kit/status.tsx';
import { Empty } from '../../kit/told.tsx';
import styles from './documentation.module.css';
import { outlineOf } from './outline.ts';
import type { DocType } from './questions.ts';

/** Most operations that are drawn. */
const linesMax = 500;

/** A page as its readers see it, as far as a console has to show it: nothing of it is run. */
export function Preview({ type, text }: { readonly type: DocType; readonly text: string }) {
  if (text.trim() === '') return <Empty title="Nothing is written yet">What is written shows here.</Empty>;
  if (type === 'MARKDOWN')
    return (
      <>
        {/* Its own headings stand below one. */}
        <h3 className="hidden">Preview</h3>
        <Markdown text={text} />
      </>
    );
  if (type === 'SWAGGER' || type === 'ASYNCAPI') return <Document text={text} />;
  return (
    <pre className={styles['plain']} tabIndex={0} role="region" aria-label="Text">
      {text}
    </pre>
  );
}

/** Asked for when the first document is shown: no other page needs it. */
const yaml = { queryKey: ['yaml'], queryFn: () => import('yaml'), staleTime: Number.POSITIVE_INFINITY };

function Document({ text }: { readonly text: string }) {
  const { data } = useQuery(yaml);
  if (data === undefined) return null;
  const outline = outlineOf(text, data);
  if (outline === undefined)
    return <Empty title="This is no document yet">It reads as neither JSON nor YAML.</Empty>;
  const { title, version, description, lines } = outline;
  return (
    <div className={styles['document']}>
      <h3>
        {title || 'Without a title'} <Tag>{version || 'no version'}</Tag>
      </h3>
      {description !== '' && <Markdown text={description} />}
      {lines.length === 0 ? (
        <p className="second">It has no operations.</p>
      ) : (
        <ul aria-label="Operations">
          {lines.slice(0, linesMax).map(({ verb, path, summary }) => (
            <li key={`${verb} ${path} ${summary}`}>
              <b className="mono">{verb}</b>
              <span className="mono">{path}</span>
              <span className="second">{summary}</span>
            </li>
          ))}
        </ul>
      )}
      {lines.length > linesMax && <p className="second">and {lines.length - linesMax} more</p>}
    </div>
  );
}
