-- Stands before every script. Each script touches one key, its KEYS[1], so that it runs in a Redis Cluster.

-- Numbers of 64 bits come as strings: Lua's own are exact to 53 bits.
local function above(a, b)
  return #a > #b or (#a == #b and a > b)
end

-- What is not one of ours counts as not there.
local function decode(value)
  local ok, entry = pcall(cjson.decode, value)
  if ok and type(entry) == 'table' and type(entry.incarnation) == 'string' and type(entry.joined) == 'number' then
    return entry
  end
end

local function decodeRoute(value)
  local route = value and decode(value)
  return route and type(route.epoch) == 'string' and route
end

local function decodeNode(value)
  local node = value and decode(value)
  return node and type(node.beat) == 'number' and type(node.id) == 'string' and node
end

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A beat from the future was made before the clock was put back: believed, it would keep a dead node for as long.
local function lives(node, now, ttl)
  return not node.gone and math.abs(now - node.beat) <= ttl
end
