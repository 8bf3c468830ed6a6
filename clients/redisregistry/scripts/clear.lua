-- Removes a route that belongs to a former life of a node. KEYS[1]: yan_client_<openid>. ARGV: session id, when the node
-- joined that life, an incarnation whose routes stay ('' for none). Returns the route if it was removed, '' if there was
-- none and the user has no other, '-' if there was none and he has, and nil if it stays.
local value = redis.call('HGET', KEYS[1], ARGV[1])
local route = decodeRoute(value)
if route and (route.joined > tonumber(ARGV[2]) or route.incarnation == ARGV[3]) then
  return nil
end
redis.call('HDEL', KEYS[1], ARGV[1])
if route then
  return value
end
return redis.call('EXISTS', KEYS[1]) == 1 and '-' or ''
