import { createMemoryRepository } from '../kit/bridge/memory-repository.ts';
import { describePublishedRepository, type PublishedRepositoryHarness } from './published-repository.ts';
import { describeSeatLedger } from './seat-ledger.ts';

const create = async (): Promise<PublishedRepositoryHarness> => {
  const repository = createMemoryRepository();
  const { organization } = repository;
  return {
    repository,
    at: { organization, environment: 'dev' },
    rootKey: repository.root.publicKey,
    publish: async (changes) => repository.publish('dev', changes),
    prune: async () => void repository.prune('dev'),
    createToken: async (options) => repository.createToken(options),
    revoke: async (gateway: string) => repository.revoke(gateway),
    reseat: async (gateway: string, instance: string) => repository.reseat(gateway, instance),
    emptySeats: async () => repository.emptySeats(),
  };
};

describePublishedRepository('in memory', create);
describeSeatLedger('in memory', create);
