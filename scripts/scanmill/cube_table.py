"""The triangles of marching cubes, for each set of a cube's eight voxels that lies inside.

As VTK's vtkFlyingEdges3D draws them with inside and outside exchanged: so its table treats inside
voxels that meet only diagonally as the IBSI reference implementations do. Kept here, and compared with
VTK's by a test, since to load VTK and ask it takes longer than to measure a small scan.
"""

import numpy as np

# One word a set, of three letters a triangle; `-` where there is none. A letter is a corner's place:
# from a on, x + 3 y + 9 z in half voxels.
TRIANGLES = """
- djb lfb djffjl hpd hpbbpj bldlpdhlfplh hpfplfpjl rhf djhjrhfjbrjf rhllhb djhjrhjlr frddrp
frbrjbrpj bldlpdlrp rjlpjr jvt bdttdv lftfvtjfbvfj lftfvtfdv vtpthpdtjhtd vtpthptbh vtlpvlfplpfhjdb
pvtptlhplfhl rhfvtj vrdrhdtrvrbfbrt rvlvtlhvrvbjbvh lrhvlhdvhtlv ftdtjdrtftpvptr rpfptftbftpv
jdblvtpvlrpl pvtlptrpl txl txjxdjbxldxb txbbxf txjxdjxfd txlpdh hxbxlbpxhxjtjxp tpbpdbxptpfhfpx
xfhjxhpjhxjt rhxhtxlhfthl rhdxrdjxdxjtflb rhxhtxhbt xrhxhdtxdjtd ptrtxrdtptflftd flbtrjrpjtxr
btxpbxrpxdbp jtxrjxpjr jvllvx bdldxldvx jvbvfbvxf dxfvxd xhvhpvlhxhjdjhl vxlhvlbhlpvh jdbhvfvxfhpv
fhpvfpxfv jhlhflvhjhxrxhv bflrdxdvxrhd hbjxhjvxjhxr xrhdxhvxd vxrpvrjfldfj pvxrpxlbf xrpvxpdbj
xrpxpv pzv jbvbzvpbdzbp lfbzvp lzjzvjfzlzdpdzf dhvvhz jbvbzvbhz zlhlfhvlzldbdlv hzfzjfjlfzvj
hfpfvpzfrvfz jbfvjfrvfvrzdph bvhvphlvbvrzrvl dphzjrjlrzvj zvrvfrvdf zvrrvfvjfjbf vdbrvblrbvrz
rzvjrvlrj tjzzjp pzdzbdztb pfjfbjzfpftltfz ztldzlfdlzdp dhjhtjhzt htbhzt bjdhlftlhzth tlfhtfzth
tfzfrzjftfphpfj phdfzbztbfrz jhbjphlrtrzt tlrztrhdp dfjfzjztjfrz bfrzbrtbz rztlrtjdb tlrtrz
xlzlpzvltplv xlbzxbdzbzdptvj fpxpzxbpfptvtpb tvjpxdxfdpzx dlvltvhldlzxzlh tvjbxlzxbhzb hxfhzxbtdtvd
fhzxfzvjt hflphltplptvrzx flbvjtdphrzx rzxvhthbtvph phdjtvzxr zxrlvfvdfltv lbfrzxtvj dbtvdtxrz
rzxvjt xlzlpzljp pzddzbzxbxlb jpbpxbxfbpzx dpzxdzfdx ljxjhxhzxhjd zxlbzlhzb zxfhzfbjd zxfzfh
rzxlhfphljpl flbdphrzx bjphbpzxr dphzxr jdfljfrzx bflrzx jdbrzx zxr xzr djbzrx fbrbzrxblzbx
dzfzrfjzdzlxlzj pdzdxzrdhxdr jxpxzpbxjxhrhxb pdbzpblzbzlxhrf hrfxplpjlxzp xzffzh xjfjbfzjxjhdhjz
xzlzblzhb jlxhjxzhxjhd pdzdxzdfx pjbxpbfxbzpx zpdzdbxzblxb lxzplzjlp zrvrjvtrxjrt brtrxtdrbrvzvrd
zrfvzfbvfvbjxtl xtlfzrvzfdvf tjdxtdhxdxhrvzp zpvtrxhrtbht pvzhrfjdblxt xtlfhrzpv hjzjvzfjhjxtxjf
zhdvzdxbftbx xtljzbzhbjvz hdvzhvtlx vzpdtjxtdfxd bfxtbxzpv jdblxtvzp lxtzpv ltrrtz zdtdjtrdzdlbldr
fbrbzrbtz fdjzfjtzjrfz ldrdhrtdldzpzdt pjtzpthlbrlh hrfbpdzpbtzb jtzpjzrfh ltfthftzh lbfdthtzhdjt
thbzht hdjthjzht tzlzdldfldzp zpjtzjbfl zpdbzdtzb jtzjzp zrvrjvrlj dvbvrbrlbrvz vzrvrfjvfbjf
vzrfvrdvf pvzrdhjdrljr lbhrlhpvz hrfbjdpvz fhrpvz zhfjzfljfvzj vzhdvhflb bjvzbvhbz hdvhvz fljdfjvzp
flbvzp bjdvzp zpv rxppxv rbpbdpxbrbvjvbx vbxblxpbvbrfrbp xjlxvjfdrdpr rxhxdhxvd bhjhxjxvjxhr
fhrxbldbxvdx vjlxvlfhr hfpfvpfxv dphfjbvjfxvf xvlvhlhblvph lxvjlvphd xdfxvd vjbfvbxvf dblxdlvdx
vjlvlx tjxjrxjpr tbxbpxprxbdp lxtjfbrfjprj dprfdrxtl rxhhxdxtdtjd hrxthxbht bjdhrflxt hrfxtl
fxhxjhjphjxt xtbfxbdph phbjpblxt xtldph xtjdxjfxd xtbxbf xtljdb xtl vptpltprl vjtbplprlbdp
prftpfbtfptv rfdprdjtv rlhlvhvdhltv hrlbhltvj tvdbtdhrf hrftvj vpttplphlhfl bfltvjdph tvphtpbth
tvjphd fltvftdfv flbtvj dbtdtv vjt jrljpr lbdpldrlp rfbjrbprj rfdrdp jdhrjhljr hrlhlb jdbhrf hrf
phflpfjpl lbfdph phbpbj phd jdfjfl flb jdb -
"""


def cube_triangles() -> tuple[np.ndarray, np.ndarray]:
    """The triangles of all sets: set (n,), corners (n, 3, xyz) in voxels from voxel 0.

    Bit n of a set is the voxel at (x, y, z) = (n & 1, n >> 1 & 1, n >> 2).
    """
    words = [word.strip("-") for word in TRIANGLES.split()]
    sets = np.repeat(np.arange(len(words)), [len(word) // 3 for word in words])
    place = np.frombuffer("".join(words).encode(), np.uint8) - ord("a")
    corners = np.stack([place % 3, place // 3 % 3, place // 9], axis=-1) / 2
    return sets, corners.reshape(-1, 3, 3)
