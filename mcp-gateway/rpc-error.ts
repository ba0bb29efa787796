import { ErrorCode } from '@modelcontextprotocol/sdk/types.js';
import type { JsonObject } from '../domain/json.ts';

/** A JSON-RPC error. The SDK's own class puts its code into the message as well, which clients then show twice. */
export class RpcError extends Error {
  readonly code: number;
  readonly data: JsonObject | undefined;

  constructor(code: number, message: string, data?: JsonObject) {
    super(message);
    this.name = 'RpcError';
    this.code = code;
    this.data = data;
  }
}

/** MCP 2025-11-25: resource not found. */
const RESOURCE_NOT_FOUND = -32002;

export function invalidParams(message: string): RpcError {
  return new RpcError(ErrorCode.InvalidParams, message);
}

export function internalError(message: string): RpcError {
  return new RpcError(ErrorCode.InternalError, message);
}

/** The same for a resource that never was, one that is gone, and one of somebody else. */
export function resourceNotFound(uri: string): RpcError {
  return new RpcError(RESOURCE_NOT_FOUND, 'Resource not found', { uri });
}
