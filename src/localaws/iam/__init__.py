"""Authorisation of every request on the laptop's AWS.

Authorizer   WSGI layer in front of moto: caller ▸ needs ▸ decision by the deployed policies ▸ moto or a service of
ours policy       the evaluator, pure          requests   HTTP request ▸ (action, resource ARN, context) usage
counts what was allowed by which grant, and what was refused   report   the same for people and as JSON removals
which allowed requests would be refused without one grant
"""

from localaws.iam.call import REPORT_PATH
from localaws.iam.faults import Decide, RoleCall, When
from localaws.iam.lookups import Lookups
from localaws.iam.report import Denied, GrantUse, UnmappedUse, UsageReport
from localaws.iam.service import Authorizer, JsonService
from localaws.iam.sessions import Caller
from localaws.iam.usage import Allowed

__all__ = [
    "REPORT_PATH",
    "Allowed",
    "Authorizer",
    "Caller",
    "Decide",
    "Denied",
    "GrantUse",
    "JsonService",
    "Lookups",
    "RoleCall",
    "UnmappedUse",
    "UsageReport",
    "When",
]
