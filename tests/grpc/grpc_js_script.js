// Calls a server with grpc-js, which has an HTTP/2 of its own. Input: JSON with target, call, config, large (hex).
// Prints one JSON map of what came.
const grpc = require("@grpc/grpc-js");

const same = (bytes) => bytes;
const job = JSON.parse(require("fs").readFileSync(0, "utf8"));
const client = new grpc.Client(job.target, grpc.credentials.createInsecure(), {
  "grpc.max_send_message_length": -1,
  "grpc.max_receive_message_length": -1,
});

function call(path, hex, options = {}, metadata = new grpc.Metadata()) {
  const data = Buffer.from(hex, "hex");
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, same, same, data, metadata, options, (problem, value) => {
      resolve(problem ? { code: problem.code, details: problem.details } : { answer: value.toString("hex") });
    });
  });
}

function watch(service) {
  const request = Buffer.concat([Buffer.from([10, service.length]), Buffer.from(service)]);
  return new Promise((resolve) => {
    const states = client.makeServerStreamRequest("/grpc.health.v1.Health/Watch", same, same, request);
    states.on("data", (state) => {
      states.cancel();
      resolve(state.toString("hex"));
    });
    states.on("error", () => {});
  });
}

async function main() {
  const invoke = "/cpex.PluginService/InvokeHook";
  const many = await Promise.all(Array.from({ length: 200 }, () => call(invoke, job.call)));
  const metadata = new grpc.Metadata();
  metadata.set("x-large", "x".repeat(70000));
  const found = {
    answers: [...new Set(many.map((one) => one.answer))],
    large: await call(invoke, job.large),
    config: await call("/cpex.PluginService/GetPluginConfigs", ""),
    unknown: await call("/cpex.PluginService/Nothing", ""),
    malformed: await call(invoke, "ffffff"),
    tooLarge: await call(invoke, "00".repeat(job.limit + 1)),
    late: await call(invoke, job.slow, { deadline: Date.now() + 200 }),
    metadata: await call(invoke, job.call, {}, metadata),
    watched: await watch("Probe"),
  };
  client.close();
  console.log(JSON.stringify(found));
}

main();
