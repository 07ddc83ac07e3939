/**
 * A minimal upstream for measuring gateways, with as little work per request as an HTTP server can do. `/big` is a gigabyte,
 * everything else a small JSON document. `node behind.ts PORT`.
 */
import { createServer, type Socket } from "node:net";

const SMALL = answer("application/json", Buffer.from(JSON.stringify({ data: "x".repeat(400) })));
const TIGHT = Buffer.alloc(65_536, "x");
export const BIG = 16_384;

const BIG_HEAD = head("application/octet-stream", BIG * TIGHT.length);

function head(type: string, length: number): string {
  return `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\netag: "1"\r\n\r\n`;
}

function answer(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(head(type, body.length)), body]);
}

function stream(socket: Socket): void {
  let left = BIG;
  socket.write(BIG_HEAD);
  const more = () => {
    while (left-- > 0) if (!socket.write(TIGHT)) return;
    socket.off("drain", more);
  };
  socket.on("drain", more);
  more();
}

const server = createServer({ noDelay: true }, (socket) => {
  let waiting = "";
  socket.setEncoding("latin1").on("error", () => socket.destroy());
  socket.on("data", (part: string) => {
    waiting += part;
    for (let end = waiting.indexOf("\r\n\r\n"); end >= 0; end = waiting.indexOf("\r\n\r\n")) {
      if (waiting.startsWith("GET /big ")) stream(socket);
      else socket.write(SMALL);
      waiting = waiting.slice(end + 4);
    }
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1");
