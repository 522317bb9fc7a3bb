// `node --import`: clients that speak only to https://<account> reach the local CRM at LOCAL_CRM, over HTTP.
import http from "node:http";
import https from "node:https";

const local = new URL(process.env.LOCAL_CRM);
const fetched = globalThis.fetch;
globalThis.fetch = (target, options) => {
  const { pathname, search } = new URL(target);
  return fetched(new URL(pathname + search, local), options);
};
https.request = ({ agent, agents, ...options }, answered) =>
  http.request({ ...options, protocol: "http:", hostname: local.hostname, host: local.host, port: local.port }, answered);
