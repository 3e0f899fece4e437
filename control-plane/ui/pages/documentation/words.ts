import type { DocType } from './questions.ts';

/** What types of pages are called. */
export const typeWords: Readonly<Record<DocType, string>> = {
  MARKDOWN: 'Markdown',
  SWAGGER: 'OpenAPI',
  ASYNCAPI: 'AsyncAPI',
  ASCIIDOC: 'AsciiDoc',
  LINK: 'Link',
  FOLDER: 'Folder',
};
