import { createMemoryRepository } from '../kit/memory-repository.ts';
import { describePublishedRepository } from './published-repository.ts';

describePublishedRepository('in memory', async () => {
  const repository = createMemoryRepository();
  const { organization } = repository;
  return {
    repository,
    at: { organization, environment: 'dev' },
    rootKey: repository.root.publicKey,
    publish: async (changes) => repository.publish('dev', changes),
    prune: async () => void repository.prune('dev'),
    createToken: async (options) => repository.createToken(options),
    revoke: async (gateway) => repository.revoke(gateway),
  };
});
