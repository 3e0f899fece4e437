import { answerBodyCases } from './answer-body.ts';
import type { AnswerCase } from './answer-case.ts';
import { answerHeadCases } from './answer-head.ts';

/** Every case of an upstream's answer, by theme. */
export const answerThemes: Readonly<Record<string, readonly AnswerCase[]>> = {
  heads: answerHeadCases,
  bodies: answerBodyCases,
};
