import type { ReactNode } from 'react';

/** What helps whoever fills a field; what stands in backticks is drawn as it is written there. */
export const helpOf = (text: string | undefined): ReactNode =>
  text?.split('`').map((part, at) =>
    at % 2 === 0 ? (
      part
    ) : (
      <code key={at} className="mono">
        {part}
      </code>
    ),
  );
