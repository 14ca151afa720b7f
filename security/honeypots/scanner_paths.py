"""Paths that only those ask for who look for a way in."""

from typing import Final

# Each stands for itself and for what lies below, anywhere in a path; in lower case. Nothing that a
# person might mistype, or a browser asks for by itself, may stand here: the sender is blocked at
# once.
SCANNER_PATHS: Final = (
    # Secrets of a deployment.
    *("/.env", "/.env.bak", "/.env.local", "/.env.prod", "/.env.production", "/.env.example"),
    *("/.aws", "/.ssh", "/id_rsa", "/.htpasswd", "/.vscode/sftp.json", "/etc/passwd"),
    # Sources and backups.
    *("/.git", "/.svn", "/.hg", "/backup.sql", "/backup.zip", "/database.sql", "/dump.sql"),
    # Other people's software, and what is known to be wrong with it.
    *("/wp-login.php", "/wp-admin", "/wp-config.php", "/wp-includes", "/xmlrpc.php"),
    *("/phpmyadmin", "/pma", "/adminer.php", "/phpinfo.php", "/info.php", "/shell.php"),
    *("/vendor/phpunit", "/_ignition", "/telescope/requests", "/cgi-bin", "/boaform", "/hnap1"),
    *("/actuator/env", "/server-status", "/solr/admin", "/manager/html", "/jenkins/script"),
)
