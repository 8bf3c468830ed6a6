-- Records routes of one user. KEYS[1]: yan_client_<openid>. ARGV: the key's lifetime in ms, then session id and route of
-- each. Returns session id and route of those that have to end.
local values, routes, ends = {}, {}, {}
local recorded = redis.call('HGETALL', KEYS[1])
for i = 1, #recorded, 2 do
  local route = decodeRoute(recorded[i + 1])
  if route then
    values[recorded[i]], routes[recorded[i]] = recorded[i + 1], route
  end
end

-- Says what a recorded session is to a new one: nothing (nil), newer (true), or what gives way to it (false).
local function outdoes(session, route, mySession, mine)
  if session == mySession then
    if above(route.epoch, mine.epoch) then
      return true
    end
  elseif route.device == mine.device then
    return not above(mine.epoch, route.epoch)
  end
end

local function finish(session, value)
  ends[#ends + 1] = session
  ends[#ends + 1] = value
end

for i = 2, #ARGV, 2 do
  local session, value = ARGV[i], ARGV[i + 1]
  local mine, older, outdone = decodeRoute(value), {}, false
  for other, route in pairs(routes) do
    local newer = outdoes(other, route, session, mine)
    if newer then
      outdone = true
    elseif newer == false then
      older[#older + 1] = other
    end
  end
  local same = routes[session]
  if outdone then
    finish(session, value)
  -- A call that was overtaken must not take the route back to where a reaper may still remove it.
  elseif not (same and same.incarnation == mine.incarnation and same.joined > mine.joined) then
    for _, other in ipairs(older) do
      finish(other, values[other])
      redis.call('HDEL', KEYS[1], other)
      values[other], routes[other] = nil, nil
    end
    redis.call('HSET', KEYS[1], session, value)
    values[session], routes[session] = value, mine
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return ends
