// Events as npm stripe signs them, and as it checks them. Prints one JSON object; each true notice
// has a false twin in which one thing was changed after it was signed.
//
// node stripe.js COUNT SECRET SECONDS
// With words on standard input, [{body, header}], it says of each whether the client believes it.
"use strict";

const { readFileSync } = require("node:fs");
const Stripe = require("stripe");

const [count, secret, seconds] = process.argv.slice(2);
const client = new (Stripe.default ?? Stripe)("sk_test_0123456789", { telemetry: false });

// A generator of our own, so that each run makes the same messages.
let state = 20261124;
function draw(limit) {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return (state >> 8) % limit;
}

const texts = ["Nguyễn Thị Hoà", "a~b*(c)!'d", "50% + 1 = x&y/z", '"q" \\ \u2028', "đ🙂", "", null];

function event() {
  const session = {
    id: `cs_test_${draw(1e9)}`, object: "checkout.session", amount_total: 1 + draw(99999998),
    client_reference_id: `ATT${draw(1e9)}`, currency: "vnd", livemode: false, mode: "payment",
    payment_intent: `pi_${draw(1e9)}`, payment_status: draw(4) ? "paid" : "unpaid",
    status: "complete", customer_details: { name: texts[draw(texts.length)], email: null },
  };
  const said = {
    id: `evt_${draw(1e9)}`, object: "event", type: "checkout.session.completed", livemode: false,
    created: Number(seconds) - draw(86400), data: { object: session }, request: null,
  };
  // Stripe writes its events with indents; a proxy may pack them, and the signature is of bytes.
  return JSON.stringify(said, null, draw(2) ? 2 : undefined);
}

function header(payload) {
  const timestamp = Number(seconds) - draw(300);
  const signed = client.webhooks.generateTestHeaderString({ payload, secret, timestamp });
  const mac = () => "0123456789abcdef".repeat(4).split("").map((c) => "0123456789abcdef"[draw(16)]).join("");
  const more = [signed, signed.replace(",v1", `,v1=${mac()},v1`), `${signed},v1=${mac()}`, `${signed},v0=${mac()}`];
  return more[draw(more.length)];
}

function changed(payload, signed) {
  const place = draw(payload.length);
  const other = payload[place] === "0" ? "1" : "0";
  const kinds = [
    [payload.slice(0, place) + other + payload.slice(place + 1), signed],
    [payload.replace(/"amount_total":( ?)(\d+)/, (_, gap, n) => `"amount_total":${gap}${Number(n) + 1}`), signed],
    [`${payload} `, signed],
    [payload, signed.replace(/t=(\d+)/, (_, t) => `t=${Number(t) + 1}`)],
    [payload, signed.replaceAll("v1=", "v0=")],
    [payload, signed.replace(/v1=[0-9a-f]{4}/g, "v1=")],
    [payload, client.webhooks.generateTestHeaderString({ payload, secret: `${secret}x`, timestamp: Number(seconds) })],
    [payload, client.webhooks.generateTestHeaderString({ payload, secret, timestamp: Number(seconds) - 301 - draw(9999) })],
  ];
  return kinds[draw(kinds.length)];
}

function believed({ body, header: signed }) {
  try {
    client.webhooks.signature.verifyHeader(body, signed, secret, 300, undefined, Number(seconds) * 1000);
    return true;
  } catch {
    return false;
  }
}

const notices = Array.from({ length: Number(count) }, () => {
  const body = event();
  const signed = header(body);
  const [wrong, wrongly] = changed(body, signed);
  return { body, header: signed, changed: { body: wrong, header: wrongly } };
});
const asked = readFileSync(0, "utf8");
const words = asked ? JSON.parse(asked) : [];
process.stdout.write(JSON.stringify({
  notices,
  own: notices.map(believed), doubted: notices.map((n) => !believed(n.changed)),
  believed: words.map(believed),
}));
