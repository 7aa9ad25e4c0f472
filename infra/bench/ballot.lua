-- Casts one ballot a request; the file that is named second holds "TOKEN NONCE" lines, the first is the election.
local lines, path

function init(arguments)
  path = "/api/v1/elections/" .. arguments[1] .. "/ballot"
  lines = io.lines(arguments[2])
end

local choices, turn = {"yes", "no", "abstain"}, 0

function request()
  local line = lines()
  local space = line:find(" ", 1, true)
  turn = turn + 1
  local body = '{"choice": "' .. choices[turn % 3 + 1] .. '", "nonce": "' .. line:sub(space + 1) .. '"}'
  return "POST " .. path .. " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " .. line:sub(1, space - 1)
    .. "\r\nContent-Type: application/json\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "micros": %d, "p50": %d, "p99": %d, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
