import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A runner for tests: it keeps the contract, but for what `faults` names. It runs inside the test's
 * process, and, without its types, in a container (image.ts).
 */
export type Fault = string;

const send = (response: ServerResponse, status: number, value: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
};

async function body(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

export function makeRunner(faults: readonly Fault[], session: string | undefined): Server {
  const has = (fault: string): boolean => faults.includes(fault);
  const listeners = new Map<string, ServerResponse[]>();
  const stops = new Map<string, () => void>();

  const stream = (response: ServerResponse, type = 'text/event-stream; charset=utf-8'): void => {
    response.writeHead(200, { 'content-type': type });
    response.flushHeaders();
  };

  async function run(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const input = await body(request);
    const threadId = String(input['threadId']);
    const runId = String(input['runId']);
    const messages = input['messages'] as { content: string }[];
    const text = messages[0]?.content ?? '';
    if (has('slow-run')) await new Promise((resolve) => setTimeout(resolve, 1500));
    if (has('run-500')) {
      send(response, 500, {});
      return;
    }
    if (has('run-json')) {
      send(response, 200, { type: 'RUN_FINISHED' });
      return;
    }
    stream(response);
    const emit = (event: Record<string, unknown>): void => {
      const line = `data: ${JSON.stringify(event)}\n\n`;
      response.write(line);
      for (const listener of listeners.get(threadId) ?? []) listener.write(line);
    };
    if (has('no-model')) {
      emit({ type: 'RUN_ERROR', message: 'no model' });
      return void response.end();
    }
    if (!has('no-start')) emit({ type: 'RUN_STARTED', threadId: has('other-thread') ? 'other' : threadId, runId });
    if (has('not-json')) response.write('data: {oops\n\n');
    if (has('bomb')) {
      response.write(`data: ${'x'.repeat(2 * 1024 * 1024)}`);
      return;
    }
    if (has('hang-up')) return void response.destroy();
    if (has('unknown-type')) emit({ type: 'SURPRISE' });
    emit({ type: 'TEXT_MESSAGE_START', messageId: 'm', role: 'assistant' });
    if (text.startsWith('slow:')) {
      await new Promise<void>((resolve) => {
        const timer = setInterval(() => {
          emit({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: '.' });
        }, 20);
        const stop = (): void => {
          clearInterval(timer);
          resolve();
        };
        response.on('close', stop);
        stops.set(threadId, has('interrupt-ignored') ? () => undefined : stop);
      });
    }
    emit({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', ...(has('no-delta') ? {} : { delta: 'hello' }) });
    if (!has('message-open')) emit({ type: 'TEXT_MESSAGE_END', messageId: 'm' });
    if (has('no-end')) return void response.end();
    if (has('endless')) return;
    emit({ type: 'RUN_FINISHED', threadId, runId });
    if (has('after-end')) emit({ type: 'CUSTOM', name: 'late' });
    response.end();
  }

  return createServer((request, response) => {
    const path = request.url ?? '/';
    if (path === '/health') {
      send(
        response,
        has('health-503') ? 503 : 200,
        has('health-list') ? [] : { status: 'healthy', session_id: session ?? null },
      );
      return;
    }
    if (path === '/capabilities') {
      send(response, has('capabilities-404') ? 404 : 200, {
        framework: 'test',
        agent_features: has('capabilities-types') ? 'chat' : ['chat'],
        platform_features: [],
        file_system: false,
        mcp: has('capabilities-types') ? 'no' : true,
        tracing: null,
        session_persistence: false,
        model: null,
        ...(has('capabilities-types') ? {} : { session_id: session ?? null }),
      });
      return;
    }
    if (path === '/interrupt')
      return void body(request).then((input) => {
        if (has('interrupt-500')) {
          send(response, 500, {});
          return;
        }
        stops.get(String(input['thread_id']))?.();
        send(response, 200, { message: 'sent' });
      });
    if (path.startsWith('/events/')) {
      if (has('events-404')) {
        send(response, 404, {});
        return;
      }
      stream(response, has('events-plain') ? 'text/plain' : undefined);
      if (has('events-garbage')) response.write('data: garbage\n\n');
      const thread = path.slice('/events/'.length);
      if (!has('events-silent')) listeners.set(thread, [...(listeners.get(thread) ?? []), response]);
      return;
    }
    if (path === '/' && request.method === 'POST') return void run(request, response);
    send(response, 404, {});
  });
}

/** listen gives the port; 0 asks for a free one. */
export async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return (server.address() as AddressInfo).port;
}
