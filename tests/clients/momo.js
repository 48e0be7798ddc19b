// Orders and refunds signed by npm momo-payment-api, and notices signed by node's own crypto,
// because no published client makes MoMo's notices. Prints one JSON object; each true message
// has a false twin in which one thing was changed.
//
// node momo.js COUNT PARTNER_CODE ACCESS_KEY SECRET_KEY IPN_URL
"use strict";

const crypto = require("crypto");
const axios = require("axios");
const { MomoPayment } = require("momo-payment-api");

const [count, partnerCode, accessKey, secretKey, ipnUrl] = process.argv.slice(2);
const client = new MomoPayment(partnerCode, accessKey, secretKey);
const texts = ["Nộp phí hồ sơ", "TP0123456789AB 1.004222", "a=b&c=d", "100% \"quoted\" \\ /", "日本 ~*()!'"];

// What the client would send is caught before it leaves this machine.
axios.defaults.adapter = async (config) => ({
  data: { caught: config.data }, status: 200, statusText: "OK", headers: {}, config,
});

// A generator of our own, so that each run makes the same messages.
let state = 20261124;
function draw(limit) {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return state % limit;
}

// Change one value: a digit, a letter, the end, or the whole of it.
function changed(message, names) {
  const name = names[draw(names.length)];
  const value = message[name];
  if (typeof value === "number") return { ...message, [name]: value + 1 };
  const at = draw(Math.max(value.length, 1));
  const other = value[at] === "x" ? "y" : "x";
  const ways = [value.slice(0, at) + other + value.slice(at + 1), value + other, value.slice(1)];
  return { ...message, [name]: value === "" ? other : ways[draw(ways.length)] };
}

async function order(n) {
  const input = {
    orderId: `ORDER${n}`, requestId: `ORDER${n}`, amount: 1000 + draw(49_999_000),
    orderInfo: texts[draw(texts.length)], ipnUrl, extraData: "", lang: "vi",
    redirectUrl: `https://pay.example.gov.vn/pay/${n}?lang=vi`,
    requestType: ["captureWallet", "payWithATM", "payWithMethod"][draw(3)],
  };
  const body = JSON.parse((await client.createPayment(input)).caught);
  const names = ["amount", "orderInfo", "orderId", "requestId", "redirectUrl", "ipnUrl", "signature"];
  return { good: body, bad: changed(body, names) };
}

async function refund(n) {
  const input = {
    orderId: `REFUND${n}`, requestId: `REFUND${n}`, amount: 1000 + draw(49_999_000),
    transId: 4_000_000_000 + draw(1_000_000_000),
  };
  return { good: JSON.parse((await client.refundPayment(input)).caught) };
}

function notice(n) {
  const fields = {
    partnerCode, orderId: `ORDER${n}`, requestId: `ORDER${n}`, amount: 1000 + draw(49_999_000),
    orderInfo: texts[draw(texts.length)], orderType: "momo_wallet",
    transId: 4_000_000_000 + draw(1_000_000_000), resultCode: [0, 9000, 1006, 7002][draw(4)],
    message: "Thành công.", payType: ["qr", "webApp", "credit"][draw(3)],
    responseTime: 1_795_494_600_000 + draw(86_400_000), extraData: "",
  };
  const names = Object.keys(fields).concat("accessKey").sort();
  const raw = names.map((k) => `${k}=${k === "accessKey" ? accessKey : fields[k]}`).join("&");
  const signature = crypto.createHmac("sha256", secretKey).update(raw).digest("hex");
  const good = { ...fields, signature };
  return { good: JSON.stringify(good), bad: JSON.stringify(changed(good, Object.keys(good))), fields };
}

(async () => {
  const made = { orders: [], refunds: [], notices: [] };
  for (let n = 1; n <= Number(count); n += 1) {
    made.orders.push(await order(n));
    made.refunds.push(await refund(n));
    made.notices.push(notice(n));
  }
  process.stdout.write(JSON.stringify(made));
})();
