-- Removes routes of one user that are still the same. KEYS[1]: yan_client_<openid>. ARGV: session id, incarnation and
-- epoch of each. Returns for each 1 if nothing is recorded of its session any more, else 0.
local absent = {}
for i = 1, #ARGV, 3 do
  local route = decodeRoute(redis.call('HGET', KEYS[1], ARGV[i]))
  local same = not route or (route.incarnation == ARGV[i + 1] and route.epoch == ARGV[i + 2])
  if same then
    redis.call('HDEL', KEYS[1], ARGV[i])
  end
  absent[#absent + 1] = same and 1 or 0
end
return absent
