"""Authorisation of every request on the laptop's AWS.

Authorizer   WSGI layer in front of moto: caller ▸ needs ▸ decision by the deployed policies ▸ moto or a player
policy       the evaluator, pure          requests   HTTP request ▸ (action, resource ARN, context)
usage        used, unused and refused grants per role
"""

from localaws.iam.authorizer import Authorizer, Player
from localaws.iam.interference import Decide, RoleCall, When
from localaws.iam.lookups import Lookups
from localaws.iam.sessions import Caller
from localaws.iam.usage import Denied, GrantUse, UnmappedUse, UsageReport

__all__ = [
    "Authorizer",
    "Caller",
    "Decide",
    "Denied",
    "GrantUse",
    "Lookups",
    "Player",
    "RoleCall",
    "UnmappedUse",
    "UsageReport",
    "When",
]
