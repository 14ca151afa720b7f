"""What each rule asks the database.

Every statement returns (subject, happened_at, team_id, user_id, count). It looks at subjects with
events that are new since the watermark, and judges each of these by the time it happened, not by
the time of the run: a run that comes late, or twice, finds the same.

`oldest` is before anything that is new: a bound that is known when the statement is planned keeps
old months out of it. OFFSET 0 keeps the search for each network a search of its own, by its index;
drawn together, all failures would be compared with all networks.

IPv6 addresses are taken together by /64, as the limits do: one subscriber changes the rest at will.
"""

from typing import Final

# A wrong code is a failure like a wrong password, of somebody who had the password right.
BRUTE_FORCE: Final = """
    WITH fresh AS MATERIALIZED (
        SELECT network(set_masklen(ip_address, CASE family(ip_address) WHEN 4 THEN 32 ELSE 64 END))
               AS network, family(ip_address) AS family, min(created_at) AS since
          FROM security_event
         WHERE event_type IN ('sign_in.failed', 'mfa.failed') AND transaction_id >= %(horizon)s
           AND created_at > %(oldest)s
         GROUP BY 1, 2
    )
    SELECT host(f.network) || ' ' || e.email AS subject, max(e.created_at) AS happened_at,
           (array_agg(e.team_id ORDER BY e.created_at DESC))[1] AS team_id,
           (array_agg(e.user_id ORDER BY e.created_at DESC))[1] AS user_id,
           max(e.count) AS count
      FROM fresh f
     CROSS JOIN LATERAL (
        SELECT created_at, team_id, user_id, coalesce(metadata->>'email', user_email) AS email,
               count(*) OVER (PARTITION BY coalesce(metadata->>'email', user_email)
                              ORDER BY created_at
                              RANGE BETWEEN %(within)s PRECEDING AND CURRENT ROW) AS count
          FROM security_event
         WHERE event_type IN ('sign_in.failed', 'mfa.failed')
           AND coalesce(metadata->>'email', user_email) <> ''
           AND created_at > f.since - %(within)s AND created_at > %(oldest)s - %(within)s
           AND ip_address >= set_masklen(f.network::inet, CASE f.family WHEN 4 THEN 32 ELSE 128 END)
           AND ip_address <= set_masklen(broadcast(f.network),
                                         CASE f.family WHEN 4 THEN 32 ELSE 128 END)
     ) e
     WHERE e.count >= %(at_least)s AND e.created_at >= f.since
     GROUP BY f.network, e.email, date_trunc('hour', e.created_at, 'UTC')
"""

# The last event of each minute stands for it: the emails of the hour before it are counted.
SPRAYING: Final = """
    WITH fresh AS MATERIALIZED (
        SELECT network(set_masklen(ip_address, CASE family(ip_address) WHEN 4 THEN 32 ELSE 64 END))
               AS network, family(ip_address) AS family, min(created_at) AS since
          FROM security_event
         WHERE event_type = 'sign_in.failed' AND transaction_id >= %(horizon)s
           AND created_at > %(oldest)s
         GROUP BY 1, 2
    ), tried AS MATERIALIZED (
        SELECT f.network, f.since, e.created_at, e.team_id, e.email
          FROM fresh f
         CROSS JOIN LATERAL (
            SELECT created_at, team_id, coalesce(metadata->>'email', user_email) AS email
              FROM security_event
             WHERE event_type = 'sign_in.failed' AND coalesce(metadata->>'email', user_email) <> ''
               AND created_at > f.since - %(within)s AND created_at > %(oldest)s - %(within)s
               AND ip_address >= set_masklen(f.network::inet,
                                             CASE f.family WHEN 4 THEN 32 ELSE 128 END)
               AND ip_address <= set_masklen(broadcast(f.network),
                                             CASE f.family WHEN 4 THEN 32 ELSE 128 END)
            OFFSET 0
         ) e
    ), minutes AS (
        SELECT network, max(created_at) AS ended_at
          FROM tried
         WHERE created_at >= since
         GROUP BY network, date_trunc('minute', created_at)
    ), sprayed AS (
        SELECT m.network, m.ended_at, count(DISTINCT t.email) AS count
          FROM minutes m
          JOIN tried t ON t.network = m.network AND t.created_at <= m.ended_at
                      AND t.created_at > m.ended_at - %(within)s
         GROUP BY m.network, m.ended_at
        HAVING count(DISTINCT t.email) >= %(at_least)s
    )
    SELECT host(s.network) AS subject, max(s.ended_at) AS happened_at, t.team_id,
           NULL::uuid AS user_id, max(s.count) AS count
      FROM sprayed s
      JOIN tried t ON t.network = s.network AND t.created_at <= s.ended_at
                  AND t.created_at > s.ended_at - %(within)s
     GROUP BY s.network, t.team_id, date_trunc('hour', s.ended_at, 'UTC')
"""

MANY_REFRESHES: Final = """
    WITH fresh AS MATERIALIZED (
        SELECT user_id, metadata->>'session_id' AS session_id, min(created_at) AS since
          FROM security_event
         WHERE event_type = 'token.refreshed' AND transaction_id >= %(horizon)s
           AND created_at > %(oldest)s
         GROUP BY 1, 2
    )
    SELECT f.session_id AS subject, max(e.created_at) AS happened_at,
           (array_agg(e.team_id ORDER BY e.created_at DESC))[1] AS team_id, f.user_id,
           max(e.count) AS count
      FROM fresh f
     CROSS JOIN LATERAL (
        SELECT created_at, team_id,
               count(*) OVER (ORDER BY created_at
                              RANGE BETWEEN %(within)s PRECEDING AND CURRENT ROW) AS count
          FROM security_event
         WHERE event_type = 'token.refreshed' AND user_id = f.user_id
           AND metadata->>'session_id' = f.session_id AND created_at > f.since - %(within)s
           AND created_at > %(oldest)s - %(within)s
     ) e
     WHERE e.count >= %(at_least)s AND e.created_at >= f.since
     GROUP BY f.session_id, f.user_id, date_trunc('hour', e.created_at, 'UTC')
"""

# A person's first sign-in has nothing to be compared with. A provider's customers wander within
# a /24 of IPv4, and a household's /48 of IPv6. A new device is told as one, wherever it is.
NEW_NETWORK: Final = """
    WITH fresh AS MATERIALIZED (
        SELECT created_at, team_id, user_id,
               network(set_masklen(ip_address,
                                   CASE family(ip_address) WHEN 4 THEN 24 ELSE 48 END)) AS network
          FROM security_event
         WHERE event_type IN ('sign_in.succeeded', 'admin.signed_in')
           AND transaction_id >= %(horizon)s
           AND created_at > %(oldest)s AND user_id IS NOT NULL AND ip_address IS NOT NULL
           AND (metadata->>'is_new_device') IS DISTINCT FROM 'true'
    )
    SELECT f.user_id || ' ' || f.network AS subject, max(f.created_at) AS happened_at,
           (array_agg(f.team_id ORDER BY f.created_at DESC))[1] AS team_id, f.user_id,
           count(*) AS count
      FROM fresh f
     CROSS JOIN LATERAL (
        SELECT count(*) AS earlier, count(*) FILTER (WHERE ip_address <<= f.network) AS from_here
          FROM security_event
         WHERE user_id = f.user_id AND event_type IN ('sign_in.succeeded', 'admin.signed_in')
           AND created_at < f.created_at AND created_at > f.created_at - %(within)s
           AND created_at > %(oldest)s - %(within)s
     ) known
     WHERE known.earlier > 0 AND known.from_here = 0
     GROUP BY f.user_id, f.network, date_trunc('hour', f.created_at, 'UTC')
"""

# An app that keeps no device token is a new device each time: one that looks like an earlier one,
# from the same address, is none. A first sign-in has nothing to be compared with.
NEW_DEVICE: Final = """
    WITH fresh AS MATERIALIZED (
        SELECT created_at, team_id, user_id, ip_address, user_agent,
               metadata->>'device_name' AS device_name
          FROM security_event
         WHERE event_type = 'sign_in.succeeded' AND transaction_id >= %(horizon)s
           AND created_at > %(oldest)s AND user_id IS NOT NULL
           AND metadata->>'is_new_device' = 'true'
    )
    SELECT f.user_id::text AS subject, max(f.created_at) AS happened_at,
           (array_agg(f.team_id ORDER BY f.created_at DESC))[1] AS team_id, f.user_id,
           count(*) AS count
      FROM fresh f
     CROSS JOIN LATERAL (
        SELECT count(*) AS earlier,
               count(*) FILTER (WHERE ip_address = f.ip_address AND user_agent = f.user_agent
                   AND metadata->>'device_name' IS NOT DISTINCT FROM f.device_name) AS alike
          FROM security_event
         WHERE user_id = f.user_id AND event_type = 'sign_in.succeeded'
           AND created_at < f.created_at AND created_at > f.created_at - %(within)s
           AND created_at > %(oldest)s - %(within)s
     ) known
     WHERE known.earlier > 0 AND known.alike = 0
     GROUP BY f.user_id, date_trunc('hour', f.created_at, 'UTC')
"""

# A session stands where accounts.models.SessionQuerySet.live() says so.
CONCURRENT_SESSIONS: Final = """
    WITH fresh AS MATERIALIZED (
        SELECT user_id, max(created_at) AS happened_at,
               (array_agg(team_id ORDER BY created_at DESC))[1] AS team_id
          FROM security_event
         WHERE event_type = 'sign_in.succeeded' AND transaction_id >= %(horizon)s
           AND created_at > %(oldest)s AND user_id IS NOT NULL
         GROUP BY user_id
    )
    SELECT f.user_id::text AS subject, f.happened_at, f.team_id, f.user_id, live.count
      FROM fresh f
     CROSS JOIN LATERAL (
        SELECT count(*) AS count
          FROM accounts_session
         WHERE user_id = f.user_id AND revoked_at IS NULL AND expires_at > %(now)s
           AND last_seen_at > %(now)s - %(idle_timeout)s
     ) live
     WHERE live.count >= %(at_least)s
"""

# Counted by day, so found once a day. Yesterday's last counts come in after midnight. A key has to
# be as old as the days that it is compared with.
KEY_SPIKE: Final = """
    SELECT k.key_id AS subject, u.day::timestamp AT TIME ZONE 'UTC' AS happened_at,
           k.team_id, k.owner_id AS user_id, u.request_count AS count
      FROM security_apikeyusage u
      JOIN security_apikey k ON k.id = u.api_key_id
     CROSS JOIN LATERAL (
        SELECT coalesce(sum(request_count), 0) / 7.0 AS mean
          FROM security_apikeyusage
         WHERE team_id = u.team_id AND api_key_id = u.api_key_id
           AND day >= u.day - 7 AND day < u.day
     ) week
     WHERE u.day >= %(now)s::date - 1 AND u.request_count >= %(at_least)s
       AND u.request_count > %(times)s * week.mean AND k.created_at::date <= u.day - 7
"""

THEFT: Final = """
    SELECT metadata->>'session_id' AS subject, max(created_at) AS happened_at, team_id, user_id,
           count(*) AS count
      FROM security_event
     WHERE event_type = 'token.reused' AND transaction_id >= %(horizon)s
       AND created_at > %(oldest)s
     GROUP BY metadata->>'session_id', team_id, user_id, date_trunc('hour', created_at, 'UTC')
"""
