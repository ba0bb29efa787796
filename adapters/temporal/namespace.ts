import { isGrpcServiceError, type Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { SEARCH_ATTRIBUTES } from '../../domain/queues.ts';
import { connectPlainly, type TemporalAccess } from './connect.ts';

/** gRPC status codes that mean something here. */
const ALREADY_EXISTS = 6;
const NOT_FOUND = 5;
const NO_ADMINISTRATION: readonly number[] = [7 /* PERMISSION_DENIED */, 12 /* UNIMPLEMENTED */];

/** How long a closed workflow can still be looked at. The record of what it did stays in Postgres. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1000;
/** `INDEXED_VALUE_TYPE_KEYWORD`. */
const KEYWORD = 2;

/**
 * Makes the namespace and our search attributes where they are missing, and waits until both can be used.
 * Run after every start: a development server's `--search-attribute` does nothing on an existing file.
 */
async function prepareNamespace(connection: Connection, namespace: string): Promise<void> {
  await ensureNamespace(connection, namespace);
  await until(() => isUsable(connection, namespace), `the namespace ${namespace}`);
  await ensureSearchAttributes(connection, namespace);
}

async function ensureNamespace(connection: Connection, namespace: string): Promise<void> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return;
  } catch (error) {
    if (!hasCode(error, [NOT_FOUND])) throw error;
  }
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs(KEPT_MS),
    });
  } catch (error) {
    if (hasCode(error, NO_ADMINISTRATION)) {
      throw new Error(
        `Temporal has no namespace ${namespace} and does not let us make it. Ask its operator.`,
        {
          cause: error,
        },
      );
    }
    if (!hasCode(error, [ALREADY_EXISTS])) throw error;
  }
}

/** Registered is not yet known: every service of Temporal keeps its own list. */
async function isUsable(connection: Connection, namespace: string): Promise<boolean> {
  try {
    await connection.workflowService.listWorkflowExecutions({ namespace, pageSize: 1 });
    return true;
  } catch (error) {
    if (hasCode(error, [NOT_FOUND])) return false;
    throw error;
  }
}

async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  try {
    const missing = await missingAttributes(connection, namespace);
    if (missing.length === 0) return;
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
    });
  } catch (error) {
    if (hasCode(error, NO_ADMINISTRATION)) {
      // Temporal Cloud: somebody else administers it, and may have done so.
      if (await isSearchable(connection, namespace)) return;
      throw new Error(ASK_THE_OPERATOR(namespace), { cause: error });
    }
    if (!hasCode(error, [ALREADY_EXISTS])) throw error;
  }
  await until(
    async () => (await missingAttributes(connection, namespace)).length === 0,
    'the search attributes',
  );
  await until(() => isSearchable(connection, namespace), 'the search attributes');
}

const ASK_THE_OPERATOR = (namespace: string) =>
  `Temporal does not let us register search attributes in ${namespace}. Ask its operator to add, as Keyword: ${SEARCH_ATTRIBUTES.join(', ')}.`;

async function missingAttributes(connection: Connection, namespace: string): Promise<readonly string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return SEARCH_ATTRIBUTES.filter((name) => !(name in customAttributes));
}

/** Listed is not yet known to the query parser, nor to starts. */
async function isSearchable(connection: Connection, namespace: string): Promise<boolean> {
  const query = SEARCH_ATTRIBUTES.map((name) => `${name} = 'none'`).join(' and ');
  try {
    await connection.workflowService.listWorkflowExecutions({ namespace, pageSize: 1, query });
    return true;
  } catch (error) {
    if (hasCode(error, [3 /* INVALID_ARGUMENT */])) return false;
    throw error;
  }
}

async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`Temporal does not show ${what} after 60 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function hasCode(error: unknown, codes: readonly number[]): boolean {
  return isGrpcServiceError(error) && codes.includes(error.code);
}

/**
 * Connects, prepares the namespace, and hangs up.
 *
 * @throws {TemporalMissing} when nothing answers there
 */
export async function prepareTemporal(access: TemporalAccess): Promise<void> {
  const connection = await connectPlainly(access, 10_000);
  try {
    await prepareNamespace(connection, access.namespace);
  } finally {
    await connection.close();
  }
}
