// A storefront server in Node. It knows recsvc by its protos alone.
//
//   node client.js PROTOS_DIR HOST:PORT METHOD REQUEST_JSON [METHOD REQUEST_JSON ...]
//
// Calls one method after the other (Recommend, WriteEvents, SetInventory, ...) and prints one line of JSON for each: {"response": ...}, or {"error": {"code", "details", "status"}} when the call was refused.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const DEADLINE_MS = 20000;

// The field names of the protos, enums by name, 64-bit numbers as strings (JavaScript's numbers cannot hold them),
// empty lists as [].
const OPTIONS = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };

function load(protos) {
  const files = ['recommendation.proto', 'events.proto', 'users.proto', 'catalog.proto'].map((name) => path.join('recsvc/v1', name));
  const definition = protoLoader.loadSync(files, { ...OPTIONS, includeDirs: [protos] });
  return grpc.loadPackageDefinition(definition).recsvc.v1;
}

// TLS and a key, if RECSVC_TLS_CA and RECSVC_API_KEY are set.
function callerCredentials() {
  const { RECSVC_TLS_CA: ca, RECSVC_API_KEY: key } = process.env;
  if (!ca) {
    return grpc.credentials.createInsecure();
  }
  const tls = grpc.credentials.createSsl(fs.readFileSync(ca));
  const bearer = grpc.credentials.createFromMetadataGenerator((_, done) => {
    const metadata = new grpc.Metadata();
    if (key) metadata.set('authorization', `Bearer ${key}`);
    done(null, metadata);
  });
  return grpc.credentials.combineChannelCredentials(tls, bearer);
}

function connect(v1, address) {
  const credentials = callerCredentials();
  const methods = new Map();
  for (const service of ['RecommendationService', 'EventService', 'UserService', 'CatalogService']) {
    const client = new v1[service](address, credentials);
    for (const method of Object.keys(v1[service].service)) {
      methods.set(method, client[method].bind(client));
    }
  }
  return methods;
}

function call(method, request) {
  return new Promise((resolve) => {
    method(request, { deadline: Date.now() + DEADLINE_MS }, (error, response) => {
      resolve(error ? { error: described(error) } : { response });
    });
  });
}

// The code by name, the message, and the google.rpc.Status that came with them, in base64.
function described(error) {
  const [status] = error.metadata.get('grpc-status-details-bin');
  return { code: grpc.status[error.code], details: error.details, status: status && status.toString('base64') };
}

async function main([protos, address, ...calls]) {
  const methods = connect(load(protos), address);
  for (let i = 0; i < calls.length; i += 2) {
    console.log(JSON.stringify(await call(methods.get(calls[i]), JSON.parse(calls[i + 1]))));
  }
  process.exit(0); // the channels would keep the process alive
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
