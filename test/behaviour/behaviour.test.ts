import { play } from './play.ts';
import { subjects, usualGateway } from './subjects.ts';

play(
  subjects.filter(({ gateway }) => gateway === undefined),
  usualGateway,
);
