import { Client } from '@opensearch-project/opensearch';

/** The connection to the policy index's server. */
export type PolicyServer = {
  /** Resolves when the cluster answers and is not red. @throws when it does not answer within two seconds, or is red. */
  check(): Promise<void>;
  close(): Promise<void>;
};

export function openPolicyServer(url: string): PolicyServer {
  const client = new Client({ node: url, requestTimeout: 2_000, maxRetries: 0 });
  return {
    check: async () => {
      const { body } = await client.cluster.health();
      if (body.status === 'red')
        throw new Error('OpenSearch answers, but its cluster is red: some shards have no copy.');
    },
    close: () => client.close(),
  };
}
