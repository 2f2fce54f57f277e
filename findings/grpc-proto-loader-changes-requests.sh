#!/usr/bin/env bash
# Expected: a Node client that fills a request with a wrong name or type gets an error.
# Seen: another request is sent. An unknown enum name becomes the default, "false" becomes true, a camelCase field is
#   dropped, 5000000000 wraps in an int32, -1 becomes 0 in a uint64. @grpc/proto-loader 0.8.1 with the options of its
#   examples.
# Matters: "exclude bought items" turns into the default policy, and the lists still look plausible. The server cannot
#   see it: give clients typed stubs, or compare the decoded request with the intended one.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private": true}' >package.json
npm install --silent --no-audit --no-fund @grpc/proto-loader@0.8.1 @grpc/grpc-js@1.14.7
cat >shop.proto <<'PROTO'
syntax = "proto3";
package shop;
enum Policy { POLICY_UNSPECIFIED = 0; POLICY_EXCLUDE = 1; }
message Request {
  string user_id = 1;
  Policy repeat_policy = 2;
  bool in_stock = 3;
  int32 page_size = 4;
  uint64 seed = 5;
}
message Response {}
service Shop { rpc Recommend(Request) returns (Response); }
PROTO
cat >check.js <<'NODE'
const loader = require("@grpc/proto-loader");
const options = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };
const method = loader.loadSync("shop.proto", options)["shop.Shop"].Recommend;
const cases = [
  ["repeat_policy", { repeat_policy: "POLICY_EXCLUDE" }, "POLICY_EXCLUDE"],
  ["repeat_policy", { repeat_policy: "EXCLUDE" }, "POLICY_UNSPECIFIED"],
  ["in_stock", { in_stock: "false" }, true],
  ["user_id", { userId: "anna" }, ""],
  ["page_size", { page_size: 5000000000 }, 705032704],
  ["seed", { seed: -1 }, "0"],
];
console.log(`@grpc/proto-loader ${require("@grpc/proto-loader/package.json").version}, node ${process.version}`);
for (const [field, sent, expected] of cases) {
  const received = method.requestDeserialize(method.requestSerialize(sent))[field];
  console.log(`  sent ${JSON.stringify(sent)}, the server reads ${field} = ${JSON.stringify(received)}`);
  if (received !== expected) throw new Error(`another behaviour: expected ${JSON.stringify(expected)}`);
}
NODE
node check.js
