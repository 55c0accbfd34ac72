"""How the OAuth toolkit and the drawing of the OpenAPI description are set."""

from typing import Any

# Machines show their application's secret and get a token for a quarter of an hour. One grant, no
# authorisation pages, no introspection, no refresh; tokens are kept as their SHA-256 only.
APPLICATION = "oauth2_provider.Application"
OAUTH: dict[str, Any] = {
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",
    "OAUTH2_VALIDATOR_CLASS": "api.oauth.Validator",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 900,
    "SCOPES": {
        "ask": "ask",
        "fetch": "fetch",
        "load": "load",
        "read": "read",
        "decide": "decide",
        "audit": "audit",
    },
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
}

DESCRIPTION: dict[str, Any] = {
    "TITLE": "The machines' door",
    "DESCRIPTION": "Asking for data and fetching it. Every access is a decision of its own.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/",
    "COMPONENT_SPLIT_REQUEST": True,
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "oauth": {
                "type": "oauth2",
                "flows": {
                    "clientCredentials": {
                        "tokenUrl": "/api/oauth/token/",
                        "scopes": {
                            "read": "read what stands here",
                            "ask": "ask for data",
                            "fetch": "fetch what was prepared",
                            "load": "load a dataset",
                            "decide": "ask about one of one's own clients",
                            "audit": "read the entries of the log",
                        },
                    }
                },
            },
            "token": {"type": "http", "scheme": "bearer"},
        }
    },
}
