-- Charges one prepared session a request; the file that is named first holds "TOKEN SESSION" lines, "-s" style.
local lines, body

function init(arguments)
  lines = io.lines(arguments[1])
  body = '{"price_micros": ' .. arguments[2] .. '}'
end

function request()
  local line = lines()
  local space = line:find(" ", 1, true)
  return "POST /api/v1/sessions/" .. line:sub(space + 1) .. "/charge HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer "
    .. line:sub(1, space - 1) .. "\r\nContent-Type: application/json\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "micros": %d, "p50": %d, "p99": %d, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
