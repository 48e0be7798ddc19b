// Addresses, queries, refunds and notices as npm vnpay writes and signs them, and checks them
// itself. Prints one JSON object; each true message has a false twin in which one thing was changed.
//
// node vnpay.js COUNT TMN_CODE SECRET
"use strict";

const { VNPay, ignoreLogger } = require("vnpay");
const { buildPaymentUrlSearchParams, calculateSecureHash } = require("vnpay/utils");

const [count, tmnCode, secureSecret] = process.argv.slice(2);
const client = new VNPay({ tmnCode, secureSecret, testMode: true, loggerFn: ignoreLogger });
const texts = ["Nop phi ho so", "TP0123456789AB 1.004222", "a~b*(c)!'d", "50% + 1 = x&y/z", "HN1: a, b"];

// What the client would send is caught before it leaves this machine.
let caught = "";
globalThis.fetch = async (_url, asked) => {
  caught = asked.body;
  return { ok: true, json: async () => ({}) };
};

// A generator of our own, so that each run makes the same messages.
let state = 20261124;
function draw(limit) {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return (state >> 8) % limit;
}

const digits = (n) => String(n).padStart(2, "0");
const stamp = () => Number(`202611${digits(1 + draw(30))}${digits(draw(24))}${digits(draw(60))}${digits(draw(60))}`);

function order(n) {
  const created = stamp();
  return client.buildPaymentUrl({
    vnp_Amount: 1 + draw(2_000_000), vnp_IpAddr: `203.0.113.${draw(255)}`,
    vnp_TxnRef: `ORDER${n}`, vnp_OrderInfo: texts[draw(2)], vnp_OrderType: "other",
    vnp_ReturnUrl: `https://pay.example.gov.vn/pay/${n}?lang=vi`,
    vnp_Locale: ["vn", "en"][draw(2)], vnp_CreateDate: created, vnp_ExpireDate: created,
    ...[{}, { vnp_BankCode: "VNPAYQR" }, { vnp_BankCode: "VNBANK" }][draw(3)],
  });
}

function signed(fields, secret = secureSecret) {
  const query = buildPaymentUrlSearchParams(fields).toString();
  const hash = calculateSecureHash({
    secureSecret: secret, data: query, hashAlgorithm: "sha512", bufferEncode: "utf-8",
  });
  return [...new URLSearchParams(query).entries(), ["vnp_SecureHash", hash]];
}

// In any order, and with the hash in either case, as VNPAY's own samples differ.
function written(pairs) {
  const shuffled = pairs.map((pair) => [draw(1000), pair]).sort((a, b) => a[0] - b[0]);
  const chosen = draw(2) ? shuffled.map(([, pair]) => pair) : pairs;
  const upper = draw(2);
  const said = chosen.map(([k, v]) => [k, upper && k === "vnp_SecureHash" ? v.toUpperCase() : v]);
  return new URLSearchParams(said).toString();
}

// Change one value: a character, the end, the whole of it, or who signed it.
function changed(fields, pairs) {
  if (draw(8) === 0) return signed(fields, `${secureSecret}x`);
  const at = draw(pairs.length);
  const [name, value] = pairs[at];
  if (draw(8) === 0) return pairs.filter((_, n) => n !== at);
  const place = draw(value.length);
  const other = value[place] === "1" ? "2" : "1";
  const ways = [value.slice(0, place) + other + value.slice(place + 1), value + other, value.slice(1)];
  return pairs.map((pair, n) => (n === at ? [name, ways[draw(3)]] : pair));
}

function believed(pairs) {
  try {
    return client.verifyIpnCall(Object.fromEntries(pairs)).isVerified;
  } catch {
    return false;
  }
}

function notice(n) {
  const [code, status] = [["00", "00"], ["24", "02"], ["00", "01"], ["07", "00"]][draw(4)];
  const fields = {
    vnp_Amount: (1 + draw(2_000_000)) * 100, vnp_BankCode: ["NCB", "VCB"][draw(2)],
    vnp_BankTranNo: draw(2) ? `VNP${n}` : "", vnp_CardType: "ATM",
    vnp_OrderInfo: texts[draw(texts.length)], vnp_PayDate: String(stamp()),
    vnp_ResponseCode: code, vnp_TmnCode: tmnCode, vnp_TransactionNo: String(14_000_000 + n),
    vnp_TransactionStatus: status, vnp_TxnRef: `ORDER${n}`,
  };
  const good = signed(fields);
  const bad = changed(fields, good);
  if (!believed(good) || believed(bad)) throw new Error("the client itself thinks otherwise");
  return { good: written(good), bad: written(bad), fields };
}

async function sent(call, asked) {
  await client[call](asked);
  return JSON.parse(caught);
}

function query(n) {
  return sent("queryDr", {
    vnp_RequestId: `q${n}`, vnp_TxnRef: `ORDER${n}`, vnp_TransactionDate: stamp(),
    vnp_CreateDate: stamp(), vnp_IpAddr: "203.0.113.7", vnp_OrderInfo: texts[draw(texts.length)],
    vnp_TransactionNo: 14_000_000 + n,
  });
}

function refund(n) {
  return sent("refund", {
    vnp_RequestId: `r${n}`, vnp_TransactionType: ["02", "03"][draw(2)], vnp_TxnRef: `ORDER${n}`,
    vnp_Amount: 1 + draw(2_000_000), vnp_TransactionNo: 14_000_000 + n,
    vnp_TransactionDate: stamp(), vnp_CreateBy: "ketoan", vnp_CreateDate: stamp(),
    vnp_IpAddr: "203.0.113.7", vnp_OrderInfo: texts[draw(texts.length)],
  });
}

(async () => {
  const made = { orders: [], notices: [], queries: [], refunds: [] };
  for (let n = 1; n <= Number(count); n += 1) {
    made.orders.push(order(n));
    made.notices.push(notice(n));
    made.queries.push(await query(n));
    made.refunds.push(await refund(n));
  }
  process.stdout.write(JSON.stringify(made));
})();
