-- Whole plays, one after the other on each connection: begin a session, load its playlist as our page does, charge it,
-- load the playlist again. The file that is named first holds "TOKEN WORK" lines, each pair of them once.
local lines, waiting, of_work, of_session = nil, {}, {}, {}
-- Of each thread, for `done` to read.
plays, refused, told = 0, 0, ""

function init(arguments)
  lines = io.lines(arguments[1])
end

local function http(method, path, token, body)
  local head = method .. " " .. path .. " HTTP/1.1\r\nHost: 127.0.0.1\r\n"
  if token then head = head .. "Authorization: Bearer " .. token .. "\r\n" end
  if body then head = head .. "Content-Type: application/json\r\nContent-Length: " .. #body .. "\r\n" end
  return head .. "\r\n" .. (body or "")
end

function request()
  local next_step = table.remove(waiting)
  if next_step then return next_step end
  local line = lines()
  local space = line:find(" ", 1, true)
  local token, work = line:sub(1, space - 1), line:sub(space + 1)
  of_work[work] = token
  return http("POST", "/api/v1/sessions", token, '{"work": "' .. work .. '"}')
end

-- What an answer is, it says itself: a session names its work, a playlist's addresses the session that they count for.
function response(status, headers, body)
  if status ~= 200 and status ~= 201 then
    refused, told = refused + 1, body
    return
  end
  local session = body:match('"id":%s*"([0-9a-f-]+)"')
  if session then
    local work = body:match('"work":%s*"([0-9a-f-]+)"')
    local play = { token = of_work[work], id = session, price = body:match('"price_micros":%s*(%d+)') }
    play.path = body:match('"playlist_url":%s*"https?://[^/]+([^"]+)"') .. "?growing=1"
    of_work[work] = nil
    of_session[session:gsub("-", "")] = play
    table.insert(waiting, http("GET", play.path))
  elseif body:sub(1, 7) == "#EXTM3U" then
    local name = body:match("meter=([0-9a-f]+)")
    if body:find("#EXT-X-ENDLIST", 1, true) then
      plays, of_session[name] = plays + 1, nil
    else
      local play = of_session[name]
      table.insert(waiting, http("POST", "/api/v1/sessions/" .. play.id .. "/charge", play.token,
        '{"price_micros": ' .. play.price .. '}'))
    end
  else
    local path = body:match('"playlist_url":%s*"https?://[^/]+([^"]+)"')
    table.insert(waiting, http("GET", path .. "?growing=1"))
  end
end

local threads = {}
function setup(thread)
  table.insert(threads, thread)
end

function done(summary, latency, requests)
  local whole, wrong, said = 0, 0, ""
  for _, thread in ipairs(threads) do
    whole, wrong = whole + thread:get("plays"), wrong + thread:get("refused")
    said = thread:get("told")
  end
  local errors = summary.errors
  io.write(string.format(
    '\n{"plays": %d, "requests": %d, "micros": %d, "p50": %d, "p99": %d, "refused": %d, "broken": %d}\n',
    whole, summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), wrong,
    errors.connect + errors.read + errors.write + errors.timeout))
  if wrong > 0 then io.stderr:write(said .. "\n") end
end
